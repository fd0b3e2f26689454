# SPDX-License-Identifier: BSD-2-Clause
"""
Fixtures of the system tests.

servers   everything, started once for all tests that leave it as they found it
own       a function that starts a set of servers of its own, for tests that break things; module_own: for a file of tests
mark      a word that is in no other mail
"""

import os
import re
import shutil
import subprocess
import tempfile

import pytest

import mails
import proc
import sendmail
import servers as servers_of


SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error: ")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """
    Folders of tests are below one that is this run's alone: the start of any other pytest shuts /tmp/pytest-of-root, in which
    daemons that are no longer root then find nothing.
    """
    if not config.option.basetemp:
        config.option.basetemp = tempfile.mkdtemp(prefix="pytest-spoor-")
        if not os.environ.get("SPOOR_KEEP"):
            config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def _logs(all_servers):
    return [os.path.join(all_servers.log_folder, name) for name in sorted(os.listdir(all_servers.log_folder))]


def _stop(all_servers, failed):
    """
    Stops, and looks for what a sanitizer said. Folders stay when a test failed and SPOOR_KEEP is set, for
    whoever looks for the reason.
    """
    try:
        statuses = all_servers.stop()
        reports = [path for path in _logs(all_servers) if SANITIZER.search(proc.tail_of(path, 100000))]
        assert not reports, "\n".join(proc.tail_of(path, 60) for path in reports)
        return statuses
    finally:
        if not (failed and os.environ.get("SPOOR_KEEP")):
            all_servers.remove()


@pytest.fixture(scope="session")
def servers(request):
    started = servers_of.Servers()
    try:
        started.start()
    except BaseException:
        _stop(started, True)
        raise
    yield started
    statuses = _stop(started, request.session.testsfailed > 0)
    assert all(status == 0 for status in statuses.values()), "a daemon ended badly: %r" % statuses


def need_sendmail():
    try:
        sendmail.unpacked()
    except proc.Failure as failure:
        pytest.skip("Sendmail cannot be fetched here: %s" % failure)


def _own(request):
    made = []

    def start(mta="postfix", **settings):
        if mta == "sendmail":
            need_sendmail()
        made.append(servers_of.Servers(spoor_settings=settings, mta=mta))
        made[-1].start()
        return made[-1]

    yield start
    statuses = [_stop(one, request.session.testsfailed > 0) for one in made]
    assert all(status == 0 for each in statuses for status in each.values()), "a daemon ended badly: %r" % statuses


@pytest.fixture
def own(request):
    """own(stamp={...}, mode="observe") starts servers with these settings, by default of Postfix; they are stopped after the test."""
    yield from _own(request)


@pytest.fixture(scope="module")
def module_own(request):
    """The same, for all tests of a file."""
    yield from _own(request)


@pytest.fixture
def mark():
    return mails.new_mark()


@pytest.fixture
def small_disk():
    """A file system of 24 megabytes, to be filled; "nobody" gets there, as it would not below pytest's folders."""
    folder = servers_of.new_folder()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", folder], stderr=subprocess.PIPE)
    if made.returncode != 0:
        os.rmdir(folder)
        pytest.skip("cannot mount a file system here: " + made.stderr.decode().strip())
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    os.rmdir(folder)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the logs of the shared servers to what a failed test shows."""
    report = (yield).get_result()
    shared = item.funcargs.get("servers") if hasattr(item, "funcargs") else None
    if report.failed and shared is not None and shared.spoor:
        for name in ("stamp", "match", "pixeld"):
            path = os.path.join(shared.log_folder, name + ".log")
            report.sections.append(("log of spoor-" + name, proc.tail_of(path, 12)))
