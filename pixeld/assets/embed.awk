# SPDX-License-Identifier: BSD-2-Clause
# Text files as C: each becomes the struct asset of its name, see pixeld/asset.h.
function escaped(line,    out, at, c) {
    out = ""
    for (at = 1; at <= length(line); at++) {
        c = substr(line, at, 1)
        out = out (c == "\\" || c == "\"" ? "\\" : "") c
    }
    return out
}
function end() {
    if (name)
        printf ";\nconst struct asset asset_%s = {text_%s, sizeof text_%s - 1};\n\n", name, name, name
}
BEGIN {
    print "/* made by embed.awk */\n#include \"pixeld/asset.h\"\n"
}
FNR == 1 {
    end()
    name = FILENAME
    sub(/.*\//, "", name)
    gsub(/[^a-z0-9]/, "_", name)
    printf "static const char text_%s[] =", name
}
{
    printf "\n    \"%s\\n\"", escaped($0)
}
END {
    end()
}
