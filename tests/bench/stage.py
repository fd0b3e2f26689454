# SPDX-License-Identifier: BSD-2-Clause
"""The servers of a benchmark, in a folder of their own; a with statement starts them and takes all away."""

import os
import shutil

import servers


class Stage:
    """Whoever inherits has start(), and stop(), which also ends what start() has only begun."""

    def __init__(self):
        self.folder = servers.new_folder()
        self.log_folder = os.path.join(self.folder, "log")
        os.mkdir(self.log_folder)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
