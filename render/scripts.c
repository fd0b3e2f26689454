/* SPDX-License-Identifier: BSD-2-Clause */
/* scripts - see scripts.h */

#include "render/scripts.h"

/* Its exit status says little: it is 0 for a document that it could not read. -p: processes and threads of this sandbox. */
const char script_office[] =
    "ulimit -p 256\n"
    "[ -x /usr/bin/soffice ] || exit 127\n"
    "soffice -env:UserInstallation=file:///home/profile --headless --norestore --nologo --nolockcheck --infilter=\"$2\""
    " --convert-to \"pdf:$3\" --outdir /tmp " SCRIPT_DOCUMENT ".\"$1\" >&2\n"
    "status=$?\n"
    "[ $status -lt 126 ] || exit $status\n"
    "[ -s /tmp/document.pdf ] || exit 1\n"
    "exec cat /tmp/document.pdf\n";

const char script_info[] =
    "ulimit -p 64\n"
    "exec pdfinfo -enc UTF-8 -f 1 -l \"$1\" " SCRIPT_DOCUMENT ".pdf\n";

/*
 * Text is sharper and smaller without loss, photographs are smaller with: both are made, the smaller one goes. What may not be
 * copied by its author's wish has no text, which pdftotext says by 3.
 */
const char script_pages[] =
    "ulimit -p 64\n"
    "while [ $# -ge 3 ]; do\n"
    "    pdftoppm -q -cropbox -f \"$1\" -l \"$1\" -scale-to-x \"$2\" -scale-to-y \"$3\" " SCRIPT_DOCUMENT ".pdf >page.ppm || exit $?\n"
    "    cwebp -quiet -q 80 -m 2 page.ppm -o with-loss &\n"
    "    lossy=$!\n"
    "    pdftotext -q -enc UTF-8 -nopgbrk -f \"$1\" -l \"$1\" " SCRIPT_DOCUMENT ".pdf - 2>/dev/null | head -c 262144 >text &\n"
    "    words=$!\n"
    "    cwebp -quiet -lossless -z 6 page.ppm -o without-loss || exit $?\n"
    "    wait $lossy || exit $?\n"
    "    wait $words\n"
    "    one=$(stat -c %s with-loss) && other=$(stat -c %s without-loss) && text=$(stat -c %s text) || exit 1\n"
    "    if [ $one -lt $other ]; then image=with-loss; size=$one; else image=without-loss; size=$other; fi\n"
    "    echo \"page $1 $size $text\"\n"
    "    cat $image text\n"
    "    shift 3\n"
    "done\n";

#define ITEM(path, name, value)                                                                                                 \
    "<item oor:path=\"/org.openoffice.Office." path "\"><prop oor:name=\"" name "\" oor:op=\"fuse\"><value>" value            \
    "</value></prop></item>\n"

const char script_profile[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<oor:items xmlns:oor=\"http://openoffice.org/2001/registry\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
    ITEM("Common/Security/Scripting", "BlockUntrustedRefererLinks", "true")
    ITEM("Common/Security/Scripting", "DisableMacrosExecution", "true")
    ITEM("Common/Security/Scripting", "MacroSecurityLevel", "3")
    ITEM("Common/Security/Scripting", "CheckDocumentEvents", "true")
    ITEM("Writer/Content/Update", "Link", "2")
    ITEM("Calc/Content/Update", "Link", "2")
    "</oor:items>\n";
