/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/agent_name.h"

#include <string.h>

struct family {
    const char *mark; /* stands in the User-Agent */
    const char *name;
};

/* The first that fits: many programs also name those that they want to be taken for. */
static const struct family programs[] = {
    {"GoogleImageProxy", "Gmail"}, {"YahooMailProxy", "Yahoo Mail"}, {"Thunderbird/", "Thunderbird"},
    {"Microsoft Outlook", "Outlook"}, {"ms-office", "Outlook"}, {"OutlookMobile", "Outlook"}, {"MSOffice", "Outlook"},
    {"Evolution/", "Evolution"}, {"KMail", "KMail"}, {"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"},
    {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"}, {"FxiOS/", "Firefox"},
    {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chromium/", "Chromium"}, {"HeadlessChrome/", "Chrome"},
    {"Chrome/", "Chrome"}, {"Version/", "Safari"}, {"MobileSafari", "Safari"}, {"AppleWebKit", "Apple Mail"},
    {"curl/", "curl"}, {"Wget/", "Wget"},
};

static const struct family systems[] = {
    {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
    {"Macintosh", "Mac"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"}, {"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"},
};

#define FIND(agent, table) find(agent, table, sizeof table / sizeof *(table))

static const char *find(const char *agent, const struct family *family, size_t count)
{
    for (size_t n = 0; n < count; n++)
        if (strstr(agent, family[n].mark))
            return family[n].name;
    return NULL;
}

/* Image proxies name a system that is nobody's. */
static bool is_proxy(const char *agent)
{
    return strstr(agent, "GoogleImageProxy") || strstr(agent, "YahooMailProxy");
}

void agent_name(const char *agent, struct buf *out)
{
    const char *program = agent ? FIND(agent, programs) : NULL;
    const char *system = agent && !is_proxy(agent) ? FIND(agent, systems) : NULL;

    if (program && system)
        buf_add_f(out, "%s on %s", program, system);
    else if (program || system)
        buf_add_str(out, program ? program : system);
}
