/* SPDX-License-Identifier: BSD-2-Clause */
/* file_type - see file_type.h */

#include "render/file_type.h"

#include "common/little_endian.h"
#include "render/ole_directory.h"
#include "render/zip_directory.h"

enum {
    PDF_HEADER_WITHIN = 1024, /* readers take a PDF that begins a little later */
    ENTRIES_MOST = 10000,
    UNPACKED_MOST = 500 * 1024 * 1024,
    WORD_FLAGS = 10,          /* in the file information block, [MS-DOC] 2.5.2 */
    WORD_ENCRYPTED = 0x0100,
    EXCEL_PASSWORD = 0x002F   /* FilePass, [MS-XLS] 2.4.117 */
};

enum container { BARE, ZIP, OLE };

static const struct kind {
    enum container container;
    const char *inside; /* ZIP: folder, or media type in "mimetype"; OLE: stream */
    const char *reader;
    const char *writer;
} kinds[] = {
    [DOCUMENT_PDF] = {BARE, NULL, NULL, NULL},
    [DOCUMENT_DOC] = {OLE, "WordDocument", "MS Word 97", "writer_pdf_Export"},
    [DOCUMENT_DOCX] = {ZIP, "word/", "MS Word 2007 XML", "writer_pdf_Export"},
    [DOCUMENT_PPT] = {OLE, "PowerPoint Document", "MS PowerPoint 97", "impress_pdf_Export"},
    [DOCUMENT_PPTX] = {ZIP, "ppt/", "Impress MS PowerPoint 2007 XML", "impress_pdf_Export"},
    [DOCUMENT_ODT] = {ZIP, "application/vnd.oasis.opendocument.text", "writer8", "writer_pdf_Export"},
    [DOCUMENT_ODP] = {ZIP, "application/vnd.oasis.opendocument.presentation", "impress8", "impress_pdf_Export"},
    [DOCUMENT_XLS] = {OLE, "Workbook", "MS Excel 97", "calc_pdf_Export"},
    [DOCUMENT_XLSX] = {ZIP, "xl/", "Calc MS Excel 2007 XML", "calc_pdf_Export"},
    [DOCUMENT_ODS] = {ZIP, "application/vnd.oasis.opendocument.spreadsheet", "calc8", "calc_pdf_Export"},
};
_Static_assert(sizeof kinds / sizeof *kinds == DOCUMENT_TYPES, "a type of document has no row");

const char *file_type_reader(enum document_type type)
{
    return kinds[type].reader;
}

const char *file_type_writer(enum document_type type)
{
    return kinds[type].writer;
}

static enum file_look look_at_pdf(struct slice file)
{
    struct slice head = slice_of(file.p, file.len < PDF_HEADER_WITHIN ? file.len : PDF_HEADER_WITHIN);

    return slice_find_i(head, "%PDF-") < head.len ? LOOK_GOOD : LOOK_MISMATCH;
}

/* ZIP */

struct zip_sum {
    uint64_t packed, bytes;
    size_t entries;
    bool right;     /* has what this type has */
    bool encrypted;
};

/* XML that is not packed and does not begin as XML does: encrypted (OpenDocument 1.2 part 3, 3.4). */
static bool is_encrypted(const struct zip_directory *directory, const struct zip_entry *entry)
{
    struct slice content;

    if (entry->encrypted)
        return true;
    if (!entry->stored || !slice_is(entry->name, "content.xml"))
        return false;
    content = zip_directory_content(directory, entry);
    return content.len && content.p[0] != '<' && content.p[0] != '\xEF';
}

static bool is_inside(const struct zip_directory *directory, const struct zip_entry *entry, const char *inside)
{
    if (strncmp(inside, "application/", 12) != 0)
        return entry->name.len > strlen(inside) && memcmp(entry->name.p, inside, strlen(inside)) == 0;
    return slice_is(entry->name, "mimetype") && slice_is(zip_directory_content(directory, entry), inside);
}

static uint64_t sum_of(uint64_t one, uint64_t other)
{
    return one > UINT64_MAX - other ? UINT64_MAX : one + other;
}

static void add_entry(struct zip_sum *sum, const struct zip_directory *directory, const struct zip_entry *entry,
                      const char *inside)
{
    sum->entries++;
    sum->packed = sum_of(sum->packed, entry->packed);
    sum->bytes = sum_of(sum->bytes, entry->bytes);
    sum->right |= is_inside(directory, entry, inside);
    sum->encrypted |= is_encrypted(directory, entry);
}

/* Entries that share bytes are packed into less than there is. */
static bool is_bomb(const struct zip_sum *sum, struct slice file)
{
    return sum->entries > ENTRIES_MOST || sum->bytes > UNPACKED_MOST || sum->packed > file.len;
}

static enum file_look look_at_zip(struct slice file, const char *inside)
{
    struct zip_sum sum = {0};
    struct zip_directory directory;
    struct zip_entry entry;
    enum zip_answer answer;

    if (ole_is_compound(file)) {
        struct ole_directory ole;
        struct ole_entry stream;

        for (bool more = ole_directory_open(file, &ole); more && ole_directory_next(&ole, &stream);)
            if (strcmp(stream.name, "EncryptedPackage") == 0)
                return LOOK_ENCRYPTED;
    }
    if (file.len < 4 || memcmp(file.p, "PK\3\4", 4) != 0)
        return LOOK_MISMATCH;
    if (!zip_directory_open(file, &directory))
        return LOOK_DAMAGED;
    while ((answer = zip_directory_next(&directory, &entry)) == ZIP_ENTRY && sum.entries <= ENTRIES_MOST)
        add_entry(&sum, &directory, &entry, inside);
    if (answer == ZIP_BAD)
        return LOOK_DAMAGED;
    if (is_bomb(&sum, file))
        return LOOK_ZIP_BOMB;
    if (!sum.right)
        return LOOK_MISMATCH;
    return sum.encrypted ? LOOK_ENCRYPTED : LOOK_GOOD;
}

/* OLE */

static bool is_stream(const char *name, const char *wanted)
{
    /* the older Excel files */
    return strcmp(name, wanted) == 0 || (strcmp(wanted, "Workbook") == 0 && strcmp(name, "Book") == 0);
}

/* Excel: after the first record. */
static bool has_password(enum document_type type, struct slice stream)
{
    size_t second;

    if (type == DOCUMENT_DOC)
        return stream.len >= WORD_FLAGS + 2 && le16_get(stream.p + WORD_FLAGS) & WORD_ENCRYPTED;
    if (type != DOCUMENT_XLS || stream.len < 4)
        return false;
    second = 4 + (size_t)le16_get(stream.p + 2);
    return stream.len >= second + 2 && le16_get(stream.p + second) == EXCEL_PASSWORD;
}

static enum file_look look_at_ole(enum document_type type, struct slice file)
{
    struct ole_directory directory;
    struct ole_entry entry;
    enum file_look look = LOOK_MISMATCH;

    if (!ole_is_compound(file))
        return LOOK_MISMATCH;
    if (!ole_directory_open(file, &directory))
        return LOOK_DAMAGED;
    while (ole_directory_next(&directory, &entry)) {
        if (type == DOCUMENT_PPT && strcmp(entry.name, "EncryptedSummary") == 0)
            return LOOK_ENCRYPTED;
        if (!is_stream(entry.name, kinds[type].inside))
            continue;
        if (has_password(type, entry.start))
            return LOOK_ENCRYPTED;
        look = LOOK_GOOD;
    }
    return look;
}

enum file_look file_type_look(enum document_type type, struct slice file)
{
    switch (kinds[type].container) {
    case ZIP: return look_at_zip(file, kinds[type].inside);
    case OLE: return look_at_ole(type, file);
    case BARE: break;
    }
    return look_at_pdf(file);
}
