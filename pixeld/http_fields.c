/* SPDX-License-Identifier: BSD-2-Clause */
/* http_fields - see http_fields.h */

#include "pixeld/http_fields.h"

#include <string.h>

/* What is collected while the library goes through the header fields. */
struct reading {
    struct slice proxy_header;
    struct request *request;
    unsigned hosts;
    unsigned framings; /* fields that say how long the body is */
};

/* RFC 9112 6.3: only digits; what overflows is too large anyway. */
static bool read_length(struct request *request, struct slice digits)
{
    size_t length = 0;

    for (size_t at = 0; at < digits.len; at++) {
        if (!ascii_is_digit(digits.p[at]))
            return false;
        if (length <= REQUEST_BODY_MAX)
            length = length * 10 + (size_t)(digits.p[at] - '0');
    }
    request->length = length;
    request->too_large = length > REQUEST_BODY_MAX;
    return digits.len > 0;
}

/* Is this field all that says where the body ends, and plain? */
static bool frames_body(struct reading *reading, struct slice name, struct slice value)
{
    if (++reading->framings > 1)
        return false;
    if (slice_is_i(name, MHD_HTTP_HEADER_CONTENT_LENGTH))
        return read_length(reading->request, value);
    return slice_is_i(value, "chunked");
}

/*
 * Can somebody else find the end of this request elsewhere than we do? It has a body with POST alone, one Host at most, and
 * no field that might be read as one of these.
 */
static bool blurs_the_end(struct reading *reading, struct slice name, struct slice value)
{
    /* RFC 9112 5.1: a space before the colon, as in "Content-Length : 5", is an attack. */
    if (name.len == 0 || ascii_is_space(name.p[name.len - 1]))
        return true;
    if (slice_is_i(name, MHD_HTTP_HEADER_HOST))
        return ++reading->hosts > 1;
    if (!slice_is_i(name, MHD_HTTP_HEADER_CONTENT_LENGTH) && !slice_is_i(name, MHD_HTTP_HEADER_TRANSFER_ENCODING))
        return false;
    if (reading->request->method == REQUEST_POST)
        return !frames_body(reading, name, value);
    return !(slice_is_i(name, MHD_HTTP_HEADER_CONTENT_LENGTH) && slice_is(value, "0"));
}

static void keep_forwarded(struct request *request, struct slice line)
{
    if (request->forwarded_lines == REQUEST_FORWARDED_MAX) {
        memmove(request->forwarded, request->forwarded + 1,
                sizeof request->forwarded - sizeof *request->forwarded);
        request->forwarded_lines--;
    }
    request->forwarded[request->forwarded_lines++] = line;
}

static void read_field(struct reading *reading, struct slice name, struct slice value)
{
    struct request *request = reading->request;
    enum request_field field = request_field_named(name);

    if (blurs_the_end(reading, name, value))
        request->unframed = true;
    if (reading->proxy_header.len && slice_eq_i(name, reading->proxy_header))
        keep_forwarded(request, value);
    if (field < REQUEST_FIELDS)
        request->field[field] = value;
}

static enum MHD_Result next_field(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                  const char *value, size_t value_size)
{
    (void)kind;
    read_field(arg, slice_of(name, name_size), slice_of(value, value ? value_size : 0));
    return MHD_YES;
}

static enum request_method method_of(const char *method)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0)
        return REQUEST_GET;
    if (strcmp(method, MHD_HTTP_METHOD_POST) == 0)
        return REQUEST_POST;
    return strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 ? REQUEST_HEAD : REQUEST_OTHER;
}

const struct sockaddr *http_peer(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info ? info->client_addr : NULL;
}

void http_read_request(struct MHD_Connection *connection, const char *target, const char *method, struct slice proxy_header,
                       struct request *request)
{
    struct reading reading = {.proxy_header = proxy_header, .request = request};

    *request = (struct request){
        .method = method_of(method), .target = slice_str(target), .peer = http_peer(connection)};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, next_field, &reading);
}
