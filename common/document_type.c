/* SPDX-License-Identifier: BSD-2-Clause */
/* document_type - see document_type.h */

#include "common/document_type.h"

#define OFFICE "application/vnd.openxmlformats-officedocument."
#define OPEN "application/vnd.oasis.opendocument."

static const struct {
    const char *ending, *media_type;
    bool slides;
} types[] = {
    [DOCUMENT_PDF] = {"pdf", "application/pdf", false},
    [DOCUMENT_DOC] = {"doc", "application/msword", false},
    [DOCUMENT_DOCX] = {"docx", OFFICE "wordprocessingml.document", false},
    [DOCUMENT_PPT] = {"ppt", "application/vnd.ms-powerpoint", true},
    [DOCUMENT_PPTX] = {"pptx", OFFICE "presentationml.presentation", true},
    [DOCUMENT_ODT] = {"odt", OPEN "text", false},
    [DOCUMENT_ODP] = {"odp", OPEN "presentation", true},
    [DOCUMENT_XLS] = {"xls", "application/vnd.ms-excel", false},
    [DOCUMENT_XLSX] = {"xlsx", OFFICE "spreadsheetml.sheet", false},
    [DOCUMENT_ODS] = {"ods", OPEN "spreadsheet", false},
    [DOCUMENT_TYPES] = {"", "application/octet-stream", false},
};
const char document_type_endings[] = "pdf, doc, docx, ppt, pptx, odt, odp, xls, xlsx or ods";

enum document_type document_type_of(struct slice ending)
{
    enum document_type type = 0;

    while (type < DOCUMENT_TYPES && !slice_is_i(ending, types[type].ending))
        type++;
    return type;
}

const char *document_type_ending(enum document_type type)
{
    return types[type].ending;
}

const char *document_type_media_type(enum document_type type)
{
    return types[type].media_type;
}

bool document_type_is_slides(enum document_type type)
{
    return types[type].slides;
}
