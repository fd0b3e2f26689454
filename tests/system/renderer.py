# SPDX-License-Identifier: BSD-2-Clause
"""A database of documents and spoor-render beside it, for tests and the benchmark; no mail server."""

import hashlib
import os
import pwd
import shutil
import subprocess

import postgres
import proc
import servers
import spoor

CHUNK = 256 * 1024
NOBODY = pwd.getpwnam("nobody")


def sandbox_trouble():
    """Why no sandbox can be made on this machine; None when it can."""
    try:
        done = subprocess.run(["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "true"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, user="nobody", group="nogroup", extra_groups=[])
    except OSError as error:
        return str(error)
    return done.stderr.decode().strip() if done.returncode != 0 else None


class Renderer:
    def __init__(self, **options):
        self.folder = servers.new_folder()
        self.log_folder = os.path.join(self.folder, "log")
        os.mkdir(self.log_folder)
        self.postgres = postgres.Postgres(self.folder, self.log_folder)
        self.postgres.start()
        self.postgres.create_database()
        self.spoor = spoor.Spoor(self.folder, self.log_folder, self.postgres.conninfo, None)
        self.spoor.sections["render"] = dict({"jobs": 2}, **options)
        self.spoor.write_conf()
        self.spoor.make_keys()
        self.spoor.install_schema()

    def start(self, **more):
        return self.spoor.start("render", **more)

    def stop(self):
        return self.spoor.stop("render")

    def configure(self, **options):
        """Other options from the next start on."""
        self.spoor.sections["render"].update(options)
        self.spoor.write_conf()

    def close(self):
        try:
            statuses = self.spoor.stop_all()
        finally:
            self.postgres.stop()
        return statuses

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, file_type, content, salt=b"", claimed=None):
        """
        The number of a document with CONTENT, as spoor-stamp stores one; SALT makes copies differ for the database. CLAIMED: the
        size that it is said to have.
        """
        digest = hashlib.sha256(content + salt).hexdigest()
        pieces = [content[at:at + CHUNK] for at in range(0, len(content), CHUNK)]
        rows = ", ".join("(%d, decode('%s', 'hex'))" % (number, piece.hex()) for number, piece in enumerate(pieces))
        return int(self.postgres.value(
            "with stored as (select document from spoor.store_document('\\x%s', '%s', %d)),"
            " pieces as (insert into spoor.document_chunk select document, v.n, v.b from stored, (values %s) v (n, b))"
            " select document from stored" % (digest, file_type, claimed or len(content), rows)))

    def row(self, document):
        return self.postgres.rows("select * from spoor.document where id = %d" % document)[0]

    def ended(self, document, seconds=3 * proc.PATIENCE_S):
        """Its row, once it is pending no more."""
        def done():
            row = self.row(document)
            return row if row["state"] != "pending" else None
        return proc.wait_for(done, "document %d has its state" % document, seconds, os.path.join(self.log_folder, "render.log"))

    def pages(self, document):
        return self.postgres.rows("select number, width, height, octet_length(image) as bytes, image, image_type, text from spoor.page"
                                  " where document = %d order by number" % document)
