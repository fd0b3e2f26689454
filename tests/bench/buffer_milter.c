/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer_milter - the peer of the milter benchmarks: takes each mail's body into memory and lets it pass.
 *
 *   buffer_milter SOCKET      SOCKET in libmilter's forms
 *
 * It does the least that a filter of whole mails can do: no answer but to end-of-message, one buffer a
 * connection, kept from mail to mail.
 */

#include <libmilter/mfapi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct mail {
    unsigned char *body;
    size_t len, size;
};

static sfsistat on_connect(SMFICTX *context, char *host, struct sockaddr *address)
{
    struct mail *mail = calloc(1, sizeof(*mail));

    (void)host;
    (void)address;
    if (mail == NULL || smfi_setpriv(context, mail) != MI_SUCCESS) {
        free(mail);
        return SMFIS_TEMPFAIL;
    }
    return SMFIS_NOREPLY;
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    (void)context;
    (void)name;
    (void)value;
    return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *context, unsigned char *chunk, size_t len)
{
    struct mail *mail = smfi_getpriv(context);

    if (mail->len + len > mail->size) {
        size_t size = 2 * (mail->len + len);
        unsigned char *body = realloc(mail->body, size);

        if (body == NULL)
            return SMFIS_NOREPLY;
        mail->body = body;
        mail->size = size;
    }
    memcpy(mail->body + mail->len, chunk, len);
    mail->len += len;
    return SMFIS_NOREPLY;
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    struct mail *mail = smfi_getpriv(context);

    mail->len = 0;
    return SMFIS_ACCEPT;
}

static sfsistat on_abort(SMFICTX *context)
{
    struct mail *mail = smfi_getpriv(context);

    if (mail != NULL)
        mail->len = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
    struct mail *mail = smfi_getpriv(context);

    if (mail != NULL)
        free(mail->body);
    free(mail);
    smfi_setpriv(context, NULL);
    return SMFIS_CONTINUE;
}

/* Every answer that the MTA does without is a round trip saved. */
static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps, unsigned long unused2,
                             unsigned long unused3, unsigned long *our_actions, unsigned long *our_steps,
                             unsigned long *our2, unsigned long *our3)
{
    const unsigned long wanted = SMFIP_NR_CONN | SMFIP_NR_HDR | SMFIP_NR_BODY | SMFIP_NOHELO | SMFIP_NOMAIL |
                                 SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOEOH | SMFIP_NOUNKNOWN;

    (void)context;
    (void)unused2;
    (void)unused3;
    if ((steps & wanted) != wanted) {
        fprintf(stderr, "buffer_milter: the MTA lacks protocol steps\n");
        return SMFIS_REJECT;
    }
    *our_actions = actions & (SMFIF_CHGBODY | SMFIF_CHGHDRS);
    *our_steps = wanted;
    *our2 = 0;
    *our3 = 0;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    struct smfiDesc filter = {
        .xxfi_name = (char *)"buffer",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_CHGBODY | SMFIF_CHGHDRS,
        .xxfi_connect = on_connect,
        .xxfi_header = on_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_end_of_message,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };

    if (argc != 2) {
        fprintf(stderr, "usage: buffer_milter SOCKET\n");
        return 2;
    }
    umask(0);
    if (smfi_register(filter) != MI_SUCCESS || smfi_setconn(argv[1]) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS) {
        fprintf(stderr, "buffer_milter: cannot listen on %s\n", argv[1]);
        return 1;
    }
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
