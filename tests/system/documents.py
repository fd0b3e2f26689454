# SPDX-License-Identifier: BSD-2-Clause
"""Documents, written byte by byte or made by LibreOffice, good ones and hostile ones."""

import io
import os
import shutil
import struct
import subprocess
import zipfile
import zlib

PASSWORD_HASHES = "/O <%s> /U <%s>" % ("11" * 32, "22" * 32)


# PDF

def pdf_of(objects, trailer=""):
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out, offsets = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body if isinstance(body, bytes) else body.encode()))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer.encode(), start))
    return out.getvalue()


def stream(text, more=""):
    return "<< /Length %d %s >>\nstream\n%s\nendstream" % (len(text), more, text)


FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def pdf(texts=("Page one",), size=(595, 842), trailer="", page_more=""):
    """A page for each of TEXTS."""
    kids = " ".join("%d 0 R" % (4 + 2 * at) for at in range(len(texts)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count %d /Kids [%s] >>" % (len(texts), kids), FONT]
    for at, text in enumerate(texts):
        objects += ["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %s %s] /Resources << /Font << /F 3 0 R >> >>"
                    " /Contents %d 0 R %s >>" % (size[0], size[1], 5 + 2 * at, page_more),
                    stream("BT /F 24 Tf 72 %d Td (%s) Tj ET" % (size[1] * 3 // 4, text))]
    return pdf_of(objects, trailer)


def pdf_with_password():
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 0 /Kids [] >>",
               "<< /Filter /Standard /V 1 /R 2 /P -4 %s >>" % PASSWORD_HASHES]
    return pdf_of(objects, "/Encrypt 3 0 R /ID [<00> <00>]")


def pdf_of_many_pages(count):
    """All look the same."""
    kids = " ".join("%d 0 R" % (4 + at) for at in range(count))
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 3 0 R >>"
    return pdf_of(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
                   stream("0 0 100 50 re f")] + [page] * count)


def pdf_that_loops():
    """Forms that draw forms, nine deep and thirty of each: more than anybody will wait for."""
    resources = "/Resources << /XObject << /X %d 0 R >> >>"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R %s >>" % (resources % 5), stream("/X Do")]
    for level in range(9):
        objects.append(stream("/X Do " * 30, "/Type /XObject /Subtype /Form /BBox [0 0 600 900] " + resources % (6 + level)))
    objects.append(stream("0 0 1 1 re f " * 50, "/Type /XObject /Subtype /Form /BBox [0 0 600 900]"))
    return pdf_of(objects)


def pdf_that_is_its_own_page():
    return pdf_of(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 3 /Kids [2 0 R 2 0 R 1 0 R] /Parent 2 0 R >>"])


# ZIP

def archive(entries):
    """ENTRIES: name and content, or name, content and how it is packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content, *packed in entries:
            file.writestr(zipfile.ZipInfo(name), content, *(packed or [zipfile.ZIP_DEFLATED]))
    return out.getvalue()


CONTENT_TYPES = ('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels"'
                 ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml"'
                 ' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'
RELATION = '<Relationship Id="%s" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s" %s/>'
PICTURE = (
    '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
    '<wp:extent cx="3000000" cy="3000000"/><wp:docPr id="1" name="p"/>'
    '<a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture">'
    '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:nvPicPr><pic:cNvPr id="1" name="p"/>'
    '<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:link="rId9"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
    '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="3000000" cy="3000000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/>'
    '</a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>')


def paragraph(text):
    return "<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % text


def page_break():
    return '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'


def docx(body, link=None):
    """BODY is WordprocessingML; LINK is where a picture is, outside."""
    xml = ('<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
           ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body>%s%s</w:body></w:document>'
           % (body, PICTURE if link else ""))
    entries = [("[Content_Types].xml", CONTENT_TYPES),
               ("_rels/.rels", RELATIONS % (RELATION % ("rId1", "officeDocument", "word/document.xml", ""))), ("word/document.xml", xml)]
    if link:
        entries.append(("word/_rels/document.xml.rels", RELATIONS % (RELATION % ("rId9", "image", link, 'TargetMode="External"'))))
    return archive(entries)


def docx_with_pages(count, text="Page"):
    return docx(page_break().join(paragraph("%s %d" % (text, number)) for number in range(1, count + 1)))


ODF_NAMES = " ".join('xmlns:%s="urn:oasis:names:tc:opendocument:xmlns:%s"' % (prefix, name) for prefix, name in (
    ("office", "office:1.0"), ("text", "text:1.0"), ("draw", "drawing:1.0"), ("style", "style:1.0"), ("table", "table:1.0"),
    ("svg", "svg-compatible:1.0"), ("fo", "xsl-fo-compatible:1.0"), ("script", "script:1.0"), ("presentation", "presentation:1.0"),
    ("manifest", "manifest:1.0"))) + ' xmlns:xlink="http://www.w3.org/1999/xlink"'
ODT_TYPE = "application/vnd.oasis.opendocument.text"
MANIFEST = ('<manifest:manifest %s manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="%s"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>%s</manifest:manifest>')


def odt(text, link=None, extra=(), scripts="", listed=""):
    frame = ('<text:p><draw:frame svg:width="8cm" svg:height="8cm" text:anchor-type="as-char"><draw:image xlink:href="%s"'
             ' xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/></draw:frame></text:p>' % link if link else "")
    content = ('<office:document-content %s office:version="1.2">%s<office:body><office:text><text:p>%s</text:p>%s</office:text>'
               '</office:body></office:document-content>' % (ODF_NAMES, scripts, text, frame))
    return archive([("mimetype", ODT_TYPE, zipfile.ZIP_STORED), ("content.xml", content),
                    ("META-INF/manifest.xml", MANIFEST % (ODF_NAMES, ODT_TYPE, listed))] + list(extra))


MACRO = 'Sub Main\nThisComponent.Text.setString(&quot;the macro ran&quot;)\nEnd Sub\n'
LIBRARY = ('<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "%s.dtd">'
           '<library:%s xmlns:library="http://openoffice.org/2000/library" xmlns:xlink="http://www.w3.org/1999/xlink"%s</library:%s>')


def odt_with_macro():
    """It runs when the document is opened, and then its text is another."""
    basic = [("Basic/script-lc.xml", LIBRARY % ("libraries", "libraries", '><library:library library:name="Standard"'
                                                ' library:link="false"/>', "libraries")),
             ("Basic/Standard/script-lb.xml", LIBRARY % ("library", "library", ' library:name="Standard" library:readonly="false"'
                                                         ' library:passwordprotected="false"><library:element'
                                                         ' library:name="Module1"/>', "library")),
             ("Basic/Standard/Module1.xml",
              '<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">'
              '<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1"'
              ' script:language="StarBasic">%s</script:module>' % MACRO)]
    events = ('<office:scripts><office:event-listeners><script:event-listener script:language="ooo:script"'
              ' script:event-name="dom:load" xlink:type="simple"'
              ' xlink:href="vnd.sun.star.script:Standard.Module1.Main?language=Basic&amp;location=document"/>'
              '</office:event-listeners></office:scripts>')
    listed = "".join('<manifest:file-entry manifest:full-path="%s" manifest:media-type="text/xml"/>' % name for name, _ in basic)
    return odt("before the macro", extra=basic, scripts=events, listed=listed)


def zeros_packed(megabytes):
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


def zip_bomb(megabytes=600):
    """A .docx with a file of zeros in it."""
    name, packed = b"word/document.xml", zeros_packed(megabytes)
    sizes = struct.pack("<IIIHH", 0, len(packed), megabytes << 20, len(name), 0)
    local = b"PK\3\4" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + name + packed
    entry = b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + entry + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)


# compound files

def compound(stream_name, begin=b""):
    """A compound file of one stream; sector 0 is the table, 1 the directory, 2 to 9 the stream."""
    sector = 512
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(sector - 8))
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIIIIII", header, 40, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    header[80:] = b"\xff" * (sector - 80)
    table = struct.pack("<%dI" % 128, 0xFFFFFFFD, 0xFFFFFFFE, *list(range(3, 10)), 0xFFFFFFFE, *[0xFFFFFFFF] * 118)

    def entry(name, kind, child, start, size):
        encoded = name.encode("utf-16-le") + b"\0\0"
        return (encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
                + bytes(36) + struct.pack("<IQ", start, size))
    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(stream_name, 2, 0xFFFFFFFF, 2, 4096) + bytes(256)
    return bytes(header) + table + directory + begin.ljust(4096, b"\x77")


# made by LibreOffice

def flat(kind, body):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<office:document %s office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.%s"><office:body>'
            '<office:%s>%s</office:%s></office:body></office:document>' % (ODF_NAMES, kind, kind, body, kind)).encode()


def flat_text(text):
    return flat("text", "<text:p>%s</text:p>" % text)


def flat_slides(texts):
    return flat("presentation", "".join(
        '<draw:page draw:name="%d"><draw:frame svg:width="20cm" svg:height="3cm" svg:x="2cm" svg:y="2cm"><draw:text-box>'
        '<text:p>%s</text:p></draw:text-box></draw:frame></draw:page>' % (at, text) for at, text in enumerate(texts)))


def flat_sheet(text):
    return flat("spreadsheet", '<table:table table:name="one"><table:table-row><table:table-cell office:value-type="string">'
                '<text:p>%s</text:p></table:table-cell></table:table-row></table:table>' % text)


def convert(folder, source, ending, target):
    """SOURCE, of a file with ENDING, as TARGET; by LibreOffice as anybody runs it. The bytes."""
    work = os.path.join(folder, "convert-" + target)
    os.makedirs(work, exist_ok=True)
    path = os.path.join(work, "document." + ending)
    with open(path, "wb") as file:
        file.write(source)
    os.chmod(folder, 0o755)
    for each in (work, path):
        shutil.chown(each, "nobody", "nogroup")
    subprocess.run(["soffice", "-env:UserInstallation=file://%s/profile" % work, "--headless", "--convert-to", target, "--outdir", work,
                    path], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, user="nobody", group="nogroup",
                   extra_groups=[], env={"HOME": work, "PATH": os.environ["PATH"]}, timeout=120)
    with open(os.path.join(work, "document." + target), "rb") as file:
        return file.read()
