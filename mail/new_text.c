/* SPDX-License-Identifier: BSD-2-Clause */
/* new_text - see new_text.h */

#include "mail/new_text.h"

#include <stdint.h>

enum {
    ATTRIBUTION_LINES = 3, /* programs fold "On ... wrote:" */
    ATTRIBUTION_MAX = 400, /* bytes */
    BLOCK_LINES = 6,       /* of From, Sent, To, Subject */
    RULE_LEAST = 20        /* underscores of Outlook's line */
};

/* --- words of mail programs -------------------------------------------------------------------------- */

/* Within dashes: "-----Original Message-----". */
static const char *const headings[] = {
    "original message", "original appointment", "forwarded message", "ursprüngliche nachricht", "weitergeleitete nachricht",
    "originalnachricht", "message d'origine", "message d’origine", "message original", "message transféré", "mensaje original",
    "mensaje reenviado", "messaggio originale", "messaggio inoltrato", "mensagem original", "mensagem encaminhada",
    "oorspronkelijk bericht", "doorgestuurd bericht", "originalmeddelande", "ursprungligt meddelande", "oprindelig meddelelse",
    "opprinnelig melding", "alkuperäinen viesti", "původní zpráva", "wiadomość oryginalna", "oryginalna wiadomość",
    "eredeti üzenet", "исходное сообщение", "orijinal mesaj", "元のメッセージ", "原始邮件", "原始郵件", NULL};

/* What begins the block of Outlook and its kin, and what else stands in it. */
static const char *const from_words[] = {"from", "von", "de", "da", "van", "från", "fra", "od", "lähettäjä", "feladó", "от", "kimden",
                                         "差出人", "发件人", "寄件者", "보낸 사람", NULL};
static const char *const block_words[] = {
    "sent", "date", "to", "cc", "subject", "gesendet", "datum", "an", "betreff", "envoyé", "date", "à", "objet", "enviado", "enviado el",
    "fecha", "para", "asunto", "inviato", "data", "a", "oggetto", "assunto", "verzonden", "aan", "onderwerp", "skickat", "till", "ämne",
    "sendt", "til", "emne", "lähetetty", "vastaanottaja", "aihe", "odesláno", "komu", "předmět", "wysłano", "do", "temat", "elküldve",
    "címzett", "tárgy", "отправлено", "кому", "тема", "gönderilme", "kime", "konu", "送信日時", "宛先", "件名", "发送时间", "收件人",
    "主题", "寄件日期", "收件者", "主旨", "보낸 날짜", "받는 사람", "제목", NULL};

/* At or near the end of "On Monday Bob wrote:". */
static const char *const verbs[] = {"wrote", "writes", "schrieb", "a écrit", "écrit", "escribió", "escribio", "ha scritto", "scritto",
                                    "escreveu", "schreef", "geschreven", "skrev", "kirjoitti", "napsal", "napsala", "napisał", "napisała",
                                    "pisze", "írta", "написал", "написала", "пишет", "yazdı", "のメール", "写道", "寫道", "작성", NULL};

/* --- lines ------------------------------------------------------------------------------------------- */

static struct slice take_line(struct slice *rest)
{
    size_t len = slice_find_char(*rest, '\n');
    struct slice line = slice_of(rest->p, len);

    *rest = slice_from(*rest, len + 1);
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* White space of all kinds, the no-break space (U+00A0) among them. */
static struct slice trim(struct slice line)
{
    for (;;) {
        struct slice before = line;

        line = slice_trim(line);
        if (line.len >= 2 && memcmp(line.p, "\xC2\xA0", 2) == 0)
            line = slice_from(line, 2);
        if (line.len >= 2 && memcmp(line.p + line.len - 2, "\xC2\xA0", 2) == 0)
            line.len -= 2;
        if (line.len == before.len)
            return line;
    }
}

static bool is_quoted(struct slice line)
{
    line = trim(line);
    return line.len && line.p[0] == '>';
}

static bool holds_one_of(struct slice line, const char *const *words)
{
    for (; *words; words++)
        if (slice_find_i(line, *words) != SIZE_MAX)
            return true;
    return false;
}

/* "Von:", "*From:*", "De :" with one of the words. */
static bool is_field(struct slice line, const char *const *words)
{
    struct slice name = trim(line);
    size_t colon = slice_find_char(name, ':');

    if (colon == name.len) {
        static const char wide[] = "：";
        size_t at = slice_find_i(name, wide);

        if (at == SIZE_MAX)
            return false;
        colon = at;
    }
    name = trim(slice_of(name.p, colon));
    while (name.len && (name.p[0] == '*' || name.p[0] == '_'))
        name = slice_from(name, 1);
    name = trim(name);
    for (; *words; words++)
        if (slice_is_i(name, *words))
            return true;
    return false;
}

static bool is_rule(struct slice line)
{
    line = trim(line);
    for (size_t at = 0; at < line.len; at++)
        if (line.p[at] != '_')
            return false;
    return line.len >= RULE_LEAST;
}

static bool is_heading(struct slice line)
{
    line = trim(line);
    return line.len > 4 && line.len < ATTRIBUTION_MAX && line.p[0] == '-' && line.p[1] == '-' && line.p[line.len - 1] == '-' &&
           holds_one_of(line, headings);
}

/* A field From with two of its kin in the lines below it. */
static bool is_block(struct slice line, struct slice rest)
{
    unsigned kin = 0;

    if (!is_field(line, from_words))
        return false;
    for (int n = 0; n < BLOCK_LINES && rest.len && kin < 2; n++)
        kin += is_field(take_line(&rest), block_words);
    return kin >= 2;
}

/* Does all that follows belong to the history? */
static bool is_mark(struct slice line, struct slice rest)
{
    if (is_heading(line) || is_block(line, rest))
        return true;
    if (!is_rule(line))
        return false;
    for (int n = 0; n < 3 && rest.len; n++) {
        struct slice after = rest;
        struct slice next = take_line(&after);

        if (is_block(next, after))
            return true;
        rest = after;
    }
    return false;
}

/* --- who wrote that ---------------------------------------------------------------------------------- */

struct attribution {
    size_t lines; /* 0: none begins here */
    bool quoted;  /* what it speaks of stands behind ">" below it */
};

static bool ends_in_colon(struct slice line)
{
    line = trim(line);
    return line.len && (line.p[line.len - 1] == ':' || (line.len >= 3 && memcmp(line.p + line.len - 3, "：", 3) == 0));
}

static size_t digits_of(struct slice text)
{
    size_t digits = 0;

    for (size_t at = 0; at < text.len; at++)
        digits += ascii_is_digit(text.p[at]);
    return digits;
}

static bool quotes_follow(struct slice rest)
{
    struct slice line = take_line(&rest);

    if (trim(line).len == 0)
        line = take_line(&rest);
    return is_quoted(line);
}

/* With quoted lines below it, somebody's address or a date will do in a language that is not known here. */
static struct attribution attribution_at(struct slice line, struct slice rest)
{
    struct slice text = line;

    for (size_t lines = 1; lines <= ATTRIBUTION_LINES && trim(line).len && !is_quoted(line); lines++) {
        text.len = (size_t)(line.p - text.p) + line.len;
        if (text.len > ATTRIBUTION_MAX)
            break;
        if (ends_in_colon(line)) {
            bool quoted = quotes_follow(rest);
            bool says = holds_one_of(text, verbs) && (digits_of(text) >= 2 || slice_find_char(text, '@') < text.len);
            bool may = slice_find_char(text, '@') < text.len || digits_of(text) >= 6;

            if (says || (quoted && may))
                return (struct attribution){lines, quoted};
        }
        line = take_line(&rest);
    }
    return (struct attribution){0};
}

/* --- the cut ----------------------------------------------------------------------------------------- */

static void add_line(struct buf *out, struct slice line, bool *gap)
{
    size_t len = line.len;

    while (len && (line.p[len - 1] == ' ' || line.p[len - 1] == '\t'))
        len--;
    if (trim(line).len == 0) {
        *gap = out->len > 0;
        return;
    }
    if (out->len)
        buf_add_str(out, *gap ? "\n\n" : "\n");
    buf_add(out, line.p, len);
    *gap = false;
}

bool new_text_cut(struct slice text, struct buf *out)
{
    struct slice rest = text;
    bool gap = false;

    while (rest.len) {
        struct slice line = take_line(&rest);
        struct attribution attribution;

        if (is_quoted(line)) {
            gap = out->len > 0;
            continue;
        }
        if (is_mark(line, rest))
            break;
        attribution = attribution_at(line, rest);
        if (attribution.lines && !attribution.quoted)
            break;
        for (size_t n = 1; n < attribution.lines; n++)
            take_line(&rest);
        if (!attribution.lines)
            add_line(out, line, &gap);
    }
    return !out->failed;
}
