# SPDX-License-Identifier: BSD-2-Clause
# Files as constants of a C file: "viewer.js" becomes embedded_viewer_js. Comments that have a line of their own and
# indentation are left out, for they would go over the wire each time.
function begin(name) {
    sub(/.*\//, "", name)
    gsub(/[^A-Za-z0-9]/, "_", name)
    printf "const char embedded_%s[] =", name
}
function escaped(line,    out, at, c) {
    out = ""
    for (at = 1; at <= length(line); at++) {
        c = substr(line, at, 1)
        out = out (c == "\\" || c == "\"" ? "\\" : "") c
    }
    return out
}
BEGIN { print "/* made by embed.awk */\n#include \"pixeld/embedded.h\"\n" }
FNR == 1 { if (NR > 1) print ";\n"; begin(FILENAME) }
{
    sub(/^[ \t]+/, "")
    if ($0 == "" || /^\/\// || /^\/\*.*\*\/$/)
        next
    sub(/[ \t]+\/\/ .*$/, "")
    printf "\n    \"%s\\n\"", escaped($0)
}
END { print ";" }
