# SPDX-License-Identifier: BSD-2-Clause
"""
spoor-render with the real LibreOffice, poppler and bubblewrap: documents of every type become pages, hostile ones do no harm, and
none is lost whatever is killed. Where this machine makes no sandbox, that is what is tested, and the rest is skipped.
"""

import ctypes
import os
import pwd
import socket
import subprocess
import threading

import pytest

import documents
import proc
import renderer
import spoor

TROUBLE = renderer.sandbox_trouble()
needs_sandbox = pytest.mark.skipif(TROUBLE is not None, reason="no sandbox on this machine: %s" % TROUBLE)
# More than any good document of these tests needs, also by the clock of a machine that is busy with other things.
LIMITS = {"pages": 4, "page_timeout": "3s", "convert_timeout": "12s", "size_limit": "20MB"}
MAGENTA = (255, 0, 255)


@pytest.fixture(scope="module")
def render():
    one = renderer.Renderer(**LIMITS)
    try:
        one.start()
        yield one
        statuses = one.close()
    except BaseException:
        one.close()
        raise
    finally:
        if not os.environ.get("SPOOR_KEEP"):
            one.remove()
    assert all(status == 0 for status in statuses.values()), statuses


class Listener:
    """Counts who connects to a port of loopback."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            client.close()

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def outside(render):
    """What a document must not reach: a listening port, and a picture that everybody may read."""
    listener = Listener()
    picture = os.path.join(render.folder, "secret.ppm")
    with open(picture, "wb") as file:
        file.write(b"P6 64 64 255\n" + bytes(MAGENTA) * 64 * 64)
    os.chmod(picture, 0o644)
    listener.url = "http://127.0.0.1:%d/picture.png" % listener.port
    listener.file = "file://" + picture
    yield listener
    listener.close()


def made_by_office(render):
    text, slides, sheet = documents.flat_text("Office text"), documents.flat_slides(["First", "Second"]), documents.flat_sheet("A cell")
    sources = (("doc", "fodt", text), ("ppt", "fodp", slides), ("pptx", "fodp", slides), ("xlsx", "fods", sheet), ("xls", "fods", sheet))
    return {ending: documents.convert(render.folder, source, kind, ending) for ending, kind, source in sources}


@pytest.fixture(scope="module")
def given(render, outside):
    """All documents at once, by name: two cores then never wait for a test."""
    links = {"url": outside.url, "file": outside.file}
    many = {
        "docx": ("docx", documents.docx_with_pages(3)), "pdf": ("pdf", documents.pdf(("Alpha", "Beta gamma"))),
        "odt": ("odt", documents.odt("An open text")),
        "password.pdf": ("pdf", documents.pdf_with_password()), "password.docx": ("docx", documents.compound("EncryptedPackage")),
        "password.odt": ("odt", documents.archive([("mimetype", documents.ODT_TYPE, 0), ("content.xml", b"\x8a\x11 no XML", 0)])),
        "cut.docx": ("docx", documents.docx_with_pages(3)[:-30]), "cut.pdf": ("pdf", documents.pdf()[:200]),
        "cut.doc": ("doc", documents.compound("WordDocument")[:700]),
        "docx named pdf": ("pdf", documents.docx_with_pages(1)), "pdf named docx": ("docx", documents.pdf()),
        "html named doc": ("doc", b"<html><body><img src='%s'></body></html>" % outside.url.encode()),
        "noise named doc": ("doc", os.urandom(20000)), "noise named docx": ("docx", os.urandom(20000)),
        "noise within doc": ("doc", documents.compound("WordDocument", bytes(4096))),
        "noise within docx": ("docx", documents.archive([("word/document.xml", os.urandom(3000))])),
        "bomb": ("docx", documents.zip_bomb()), "too large": ("pdf", documents.pdf(("Large",)), b"", 21 << 20),
        "hard": ("docx", documents.docx("<w:p/>" * 3000000)),
        "100,000 pages": ("pdf", documents.pdf_of_many_pages(100000)), "narrow": ("pdf", documents.pdf(size=(1, 10000))),
        "giant": ("pdf", documents.pdf(size=(14400, 14400), page_more="/UserUnit 75000")), "loop": ("pdf", documents.pdf_that_loops()),
        "own page": ("pdf", documents.pdf_that_is_its_own_page()), "macro": ("odt", documents.odt_with_macro()),
    }
    for name, link in links.items():
        many[name + " in docx"] = ("docx", documents.docx(documents.paragraph("Linked"), link))
        many[name + " in odt"] = ("odt", documents.odt("Linked", link))
    numbers = {name: render.add(*one) for name, one in many.items()}
    numbers.update({name: render.add(name, content) for name, content in made_by_office(render).items()})
    return numbers


class Given:
    def __init__(self, render, numbers):
        self.render, self.numbers = render, numbers

    def row(self, name):
        """Its row when it has its state. What is tried again for the machine's sake is so at once."""
        render, number = self.render, self.numbers[name]

        def done():
            row = render.row(number)
            if row["state"] != "pending":
                return row
            if row["reason"] and not row["locked_by"]:
                render.postgres.execute("update spoor.document set not_before = now() where id = %d; notify spoor_render" % number)
            return None
        return proc.wait_for(done, "%s has its state" % name, 400, os.path.join(render.log_folder, "render.log"))

    def verdict(self, name):
        row = self.row(name)
        assert row["locked_by"] is None and (row["ready_at"] is not None) == (row["state"] == "ready")
        if row["state"] != "ready":
            assert self.render.pages(self.numbers[name]) == [] and row["pages"] is None
        return row["state"], row["reason"]

    def pages(self, name):
        assert self.row(name)["state"] == "ready", self.row(name)
        found = self.render.pages(self.numbers[name])
        assert [int(page["number"]) for page in found] == list(range(1, int(self.row(name)["pages"]) + 1))
        return found


@pytest.fixture(scope="module")
def given_documents(render, given):
    return Given(render, given)


def pixels(render, page):
    """The picture's width, height and bytes, decoded by dwebp."""
    path = os.path.join(render.folder, "page.webp")
    with open(path, "wb") as file:
        file.write(bytes.fromhex(page["image"][2:]))
    done = proc.run(["dwebp", path, "-ppm", "-o", "-"])
    header, _, body = done.stdout.partition(b"\n255\n")
    magic, width, height = header.split()
    assert magic == b"P6"
    return int(width), int(height), body


GOOD = {"docx": ["Page 1", "Page 2", "Page 3"], "pdf": ["Alpha", "Beta gamma"], "odt": ["An open text"], "doc": ["Office text"],
        "ppt": ["First", "Second"], "pptx": ["First", "Second"], "xlsx": ["A cell"], "xls": ["A cell"]}


@needs_sandbox
@pytest.mark.parametrize("name", GOOD)
def test_each_type_has_its_pages(render, given_documents, name):
    pages = given_documents.pages(name)
    assert len(pages) == len(GOOD[name])
    assert all(text in page["text"] for text, page in zip(GOOD[name], pages)), pages
    for page in pages:
        width, height, body = pixels(render, page)
        assert (str(width), str(height)) == (page["width"], page["height"]) and width == 1240
        assert 0 < sum(1 for at in range(0, len(body), 3) if body[at] < 128) < width * height // 4, "no writing on it"


REFUSED = {"password.pdf": "encrypted", "password.docx": "encrypted", "password.odt": "encrypted", "cut.docx": "damaged",
           "cut.doc": "damaged", "cut.pdf": "unreadable", "docx named pdf": "type_mismatch", "pdf named docx": "type_mismatch",
           "html named doc": "type_mismatch", "noise named doc": "type_mismatch", "noise named docx": "type_mismatch",
           "noise within doc": "unreadable", "noise within docx": "unreadable", "bomb": "zip_bomb", "too large": "too_large",
           "loop": "timeout"}


@needs_sandbox
@pytest.mark.parametrize("name", REFUSED)
def test_hostile_files_can_only_be_downloaded(given_documents, name):
    assert given_documents.verdict(name) == ("download_only", REFUSED[name])


@needs_sandbox
def test_what_takes_too_long_or_too_much_ends(given_documents):
    """Three million paragraphs, in 27 KB: past its computing time, or its memory."""
    state, reason = given_documents.verdict("hard")
    assert state in ("download_only", "failed") and reason in ("timeout", "crashed")


@needs_sandbox
def test_of_many_pages_the_first_are_shown(given_documents):
    assert given_documents.verdict("100,000 pages") == ("ready", "first_pages")
    assert len(given_documents.pages("100,000 pages")) == LIMITS["pages"]


@needs_sandbox
@pytest.mark.parametrize("name, size", [("narrow", ("1", "4000")), ("giant", ("1240", "1240"))])
def test_giant_pages_have_pictures_of_our_size(given_documents, name, size):
    page, = given_documents.pages(name)
    assert (page["width"], page["height"]) == size


@needs_sandbox
def test_a_page_tree_in_a_circle_ends(given_documents):
    assert given_documents.row("own page")["state"] in ("ready", "download_only")


@needs_sandbox
def test_no_macro_runs(given_documents):
    assert [page["text"] for page in given_documents.pages("macro")] == ["before the macro"]


def has_magenta(render, page):
    return bytes(MAGENTA) * 16 in pixels(render, page)[2]


@needs_sandbox
@pytest.mark.parametrize("name", ["url in docx", "url in odt", "file in docx", "file in odt"])
def test_nothing_outside_is_fetched_or_shown(render, outside, given_documents, name):
    page, = given_documents.pages(name)
    assert "Linked" in page["text"]
    assert not has_magenta(render, page)
    assert outside.connections == 0


def test_the_same_files_reach_outside_without_us(render, outside):
    """Or the test above would prove nothing: LibreOffice as anybody runs it fetches both."""
    before = outside.connections
    try:
        documents.convert(render.folder, documents.odt("Linked", outside.url), "odt", "pdf")
        assert outside.connections > before
    finally:
        outside.connections = before
    content = documents.convert(render.folder, documents.odt("Linked", outside.file), "odt", "pdf")
    path = os.path.join(render.folder, "outside.pdf")
    with open(path, "wb") as file:
        file.write(content)
    shown = proc.run(["pdftoppm", "-scale-to-x", "1240", "-scale-to-y", "-1", path]).stdout
    assert bytes(MAGENTA) * 16 in shown


def owner_of(path):
    """None when it has gone meanwhile: others work below /tmp, too."""
    try:
        return os.lstat(path).st_uid
    except FileNotFoundError:
        return None


@needs_sandbox
def test_nothing_is_left_behind(render, given_documents):
    """After all those documents: no process, and no file of the user who converts."""
    for name in given_documents.numbers:
        given_documents.row(name)
    server = render.spoor.servers["render"]
    proc.wait_for(lambda: descendants(server.pid) == [], "no converter is left")
    left = [os.path.join(where, name) for where, _, names in os.walk("/tmp") for name in names if "spoor-render" in name]
    assert [path for path in left if owner_of(path) == pwd.getpwnam("nobody").pw_uid] == []


# restarts

def descendants(pid):
    """The processes below PID, whichever of its threads started them."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
    found = [child for child, parent in parents.items() if parent == pid]
    for child in found:
        found += [grandchild for grandchild, parent in parents.items() if parent == child]
    return found


def is_gone(pid):
    """Ended, though perhaps nobody has asked for its status."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return True


def let_leases_run_out(render):
    render.postgres.execute("update spoor.document set locked_until = now() where locked_by is not null; notify spoor_render")


def states(render, numbers):
    return render.postgres.rows("select state, count(*) from spoor.document where id in (%s) group by 1" % ", ".join(map(str, numbers)))


@needs_sandbox
def test_a_queue_survives_kill_and_stop(render, given_documents):
    for name in given_documents.numbers:
        given_documents.row(name)
    queue = [render.add("docx", documents.docx_with_pages(1, "Queued %d, page" % number)) for number in range(5)]
    for how in ("kill", "stop"):
        server = render.spoor.servers["render"]
        under_way = proc.wait_for(lambda: render.postgres.rows("select id, attempts from spoor.document where locked_by is not null"),
                                  "something is converted")
        converters = proc.wait_for(lambda: descendants(server.pid), "a converter runs")
        if how == "kill":
            server.kill()
            render.spoor.servers.pop("render")
            let_leases_run_out(render)
        else:
            assert render.stop() == 0
            assert render.postgres.rows("select 1 from spoor.document where locked_by is not null") == [], under_way
        proc.wait_for(lambda: all(is_gone(pid) for pid in converters), "the converters have ended too")
        render.start()
    for number in queue:
        row = render.ended(number)
        assert (row["state"], row["pages"]) == ("ready", "1")
    texts = render.postgres.rows("select text from spoor.page where document in (%s) order by document" % ", ".join(map(str, queue)))
    assert [row["text"] for row in texts] == ["Queued %d, page 1" % number for number in range(5)]
    assert render.postgres.value("select max(attempts) from spoor.document where id in (%s)" % ", ".join(map(str, queue))) in ("1", "2")


@needs_sandbox
def test_the_database_away_for_a_while(render):
    first = render.add("docx", documents.docx_with_pages(1, "Under way, page"))
    proc.wait_for(lambda: render.row(first)["locked_by"], "it is converted")
    render.postgres.stop()
    render.postgres.start()
    second = render.add("pdf", documents.pdf(("After",)))
    assert render.ended(second)["state"] == "ready"
    let_leases_run_out(render)
    row = render.ended(first)
    assert (row["state"], row["pages"]) == ("ready", "1")


@needs_sandbox
def test_who_died_of_a_document_three_times_leaves_it(render):
    assert render.stop() == 0
    number = render.add("pdf", documents.pdf(("Deadly", "twice")))
    render.postgres.execute("update spoor.document set attempts = 3, locked_by = 'x', locked_until = now() where id = %d" % number)
    render.start()
    row = render.ended(number)
    assert (row["state"], row["reason"]) == ("failed", "killed")
    assert render.postgres.value("select spoor.render_again(%d)" % number) == "1"
    assert render.ended(number)["state"] == "ready"


@needs_sandbox
def test_a_document_without_all_its_bytes(render):
    number = render.add("pdf", documents.pdf(("Incomplete",)))
    render.ended(number)
    render.postgres.execute("delete from spoor.document_chunk where document = %d" % number)
    assert render.postgres.value("select spoor.render_again(%d, 'no such reason')" % number) == "0"
    render.postgres.execute("update spoor.document set state = 'pending', attempts = 2 where id = %d; notify spoor_render" % number)
    row = render.ended(number)
    assert (row["state"], row["reason"]) == ("failed", "incomplete")


@needs_sandbox
def test_the_role_reads_no_mail(render):
    for table in ("message", "recipient", "attachment"):
        with pytest.raises(proc.Failure, match="permission denied"):
            render.postgres.rows("select 1 from spoor.%s" % table, role="spoor_render")
    for change in ("delete from spoor.document", "update spoor.document set sha256 = ''", "delete from spoor.document_chunk"):
        with pytest.raises(proc.Failure, match="permission denied"):
            render.postgres.execute(change, role="spoor_render")


# no sandbox

CLONE_NEWUSER = 0x10000000


def forbid_namespaces():
    """For preexec_fn: from here on nobody makes a user namespace. All users stay who they are."""
    parent, child = os.pipe(), os.pipe()
    own = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.read(parent[0], 1)
        for name in ("uid_map", "gid_map"):
            with open("/proc/%d/%s" % (own, name), "w") as file:
                file.write("0 0 100000")
        os.write(child[1], b"x")
        os._exit(0)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(parent[1], b"x")
    os.read(child[0], 1)
    os.waitpid(helper, 0)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    for end in parent + child:
        os.close(end)


def test_without_a_sandbox_nothing_is_converted(render):
    assert render.stop() == 0
    since = len(render.spoor.log_text("render"))
    render.start(preexec=forbid_namespaces if TROUBLE is None else None)
    render.spoor.wait_log("render", "the sandbox does not work", since=since)
    numbers = [render.add("docx", documents.docx_with_pages(2, "No sandbox")), render.add("pdf", documents.pdf(("No sandbox",)))]
    for number in numbers:
        row = render.ended(number)
        assert (row["state"], row["reason"]) == ("download_only", "no_sandbox")
        assert render.pages(number) == []
    assert render.stop() == 0
    render.start()
    if TROUBLE is None:
        assert render.postgres.value("select spoor.render_again(reason => 'no_sandbox')", role="spoor_admin") == "2"
        for number in numbers:
            assert render.ended(number)["state"] == "ready"


@pytest.mark.parametrize("user", ["", "root"])
def test_root_does_not_convert(render, user):
    conf = render.spoor.write_conf(os.path.join(render.folder, "root.conf"), user=user)
    done = subprocess.run([spoor.program("render/spoor-render"), "-f", "-c", conf], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=proc.PATIENCE_S)
    assert done.returncode == 1 and b"documents are not converted as root" in done.stderr, done.stderr
    checked = proc.run([spoor.program("render/spoor-render"), "-t", "-c", conf], check=False)
    assert checked.returncode == (78 if user == "" else 0), checked.stderr


def test_it_needs_the_database_only(render):
    path = os.path.join(render.folder, "small.conf")
    with open(path, "w") as file:
        file.write('database = "dbname=spoor"\nrender { user = "nobody" }\n')
    assert proc.run([spoor.program("render/spoor-render"), "-t", "-c", path]).returncode == 0
