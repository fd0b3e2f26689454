-- SPDX-License-Identifier: BSD-2-Clause
-- Rules: what is known of programs, networks and receiving servers.

create domain spoor.verdict_word as text check (value in ('human', 'proxy', 'prefetch', 'bot', 'self', 'unknown'));
comment on domain spoor.verdict_word is 'Who or what made a view or click.';
create domain spoor.hit_word as text check (value in ('any', 'view', 'click'));
comment on domain spoor.hit_word is 'What a rule is about.';

-- what is no plain line cannot be handed to spoor-pixeld
create table spoor.agent_rule (
    number integer primary key check (number >= 0),
    kind spoor.hit_word not null default 'any',
    field text default 'User-Agent' check (field !~ '[[:cntrl:]]'),
    test text not null default 'word' check (test !~ '[[:cntrl:]]'),
    pattern text not null default '' check (pattern !~ '[[:cntrl:]]'),
    network text check (network ~ '^[A-Za-z0-9_]{1,60}$'),
    younger_than interval check (younger_than between '1 ms' and '10 years'),
    verdict spoor.verdict_word,
    reason text not null check (reason ~ '^[A-Za-z0-9_]{1,60}$'),
    note text
);
comment on table spoor.agent_rule is 'What a request tells of the program behind it; every spoor-pixeld reads the rules again as soon as they change. The rule with the lowest number that fits decides. A rule that a spoor-pixeld does not understand is named in its log and left out.';
comment on column spoor.agent_rule.number is 'Order of the rules. Of those on the User-Agent only the first that fits counts.';
comment on column spoor.agent_rule.kind is 'any, view or click.';
comment on column spoor.agent_rule.field is 'The header field: User-Agent, Referer, Accept, Accept-Language, Purpose, Sec-Purpose, X-Purpose, X-Moz, Sec-Fetch-Mode, Sec-Fetch-User, Sec-GPC or DNT; null with the test always.';
comment on column spoor.agent_rule.test is 'is, starts, ends, contains, word (the pattern stands where a word begins), word_end (a word ends so), host (of a URL, or a domain above it), empty, present; always looks at no field. All but is take small for capital letters. Only the first 512 bytes of a field are looked at.';
comment on column spoor.agent_rule.pattern is 'What is looked for, 200 bytes at most; none with empty, present and always.';
comment on column spoor.agent_rule.network is 'Only for clients in a network with this reason in spoor.network_rule.';
comment on column spoor.agent_rule.younger_than is 'Only for mails that were sent less than this ago.';
comment on column spoor.agent_rule.verdict is 'human, proxy, prefetch, bot, self or unknown; null: the program is a person''s, and what else is known decides.';
comment on column spoor.agent_rule.reason is 'A word for the reports.';
comment on column spoor.agent_rule.note is 'For people.';

create table spoor.network_rule (
    network cidr not null,
    source text not null default 'local',
    kind spoor.hit_word not null default 'any',
    younger_than interval check (younger_than between '1 ms' and '10 years'),
    verdict spoor.verdict_word,
    reason text not null check (reason ~ '^[A-Za-z0-9_]{1,60}$'),
    note text,
    primary key (network, source)
);
comment on table spoor.network_rule is 'What is known of networks; every spoor-pixeld reads them again as soon as they change. The smallest network that has the client counts, with its verdict before all rules of spoor.agent_rule.';
comment on column spoor.network_rule.network is 'The network, such as 192.0.2.0/24.';
comment on column spoor.network_rule.source is 'Where the row comes from: local is whoever administers this database and wins, others are replaced when they are loaded again.';
comment on column spoor.network_rule.kind is 'any, view or click.';
comment on column spoor.network_rule.younger_than is 'Only for mails that were sent less than this ago.';
comment on column spoor.network_rule.verdict is 'human, proxy, prefetch, bot, self or unknown; null: only spoor.agent_rule.network speaks of it.';
comment on column spoor.network_rule.reason is 'A word for the reports; microsoft, apple_relay and hosting are known to the rules that come with Spoor.';
comment on column spoor.network_rule.note is 'For people.';

insert into spoor.agent_rule (number, kind, field, test, pattern, network, younger_than, verdict, reason, note) values
    (10, 'any', 'Purpose', 'starts', 'prefetch', null, null, 'prefetch', 'purpose_prefetch', null),
    (11, 'any', 'Purpose', 'starts', 'preview', null, null, 'prefetch', 'purpose_prefetch', null),
    (12, 'any', 'Sec-Purpose', 'starts', 'prefetch', null, null, 'prefetch', 'purpose_prefetch', null),
    (13, 'any', 'Sec-Purpose', 'starts', 'preview', null, null, 'prefetch', 'purpose_prefetch', null),
    (14, 'any', 'X-Purpose', 'starts', 'prefetch', null, null, 'prefetch', 'purpose_prefetch', null),
    (15, 'any', 'X-Purpose', 'starts', 'preview', null, null, 'prefetch', 'purpose_prefetch', null),
    (16, 'any', 'X-Moz', 'starts', 'prefetch', null, null, 'prefetch', 'purpose_prefetch', null),
    (17, 'any', 'X-Moz', 'starts', 'preview', null, null, 'prefetch', 'purpose_prefetch', null),
    (100, 'any', 'User-Agent', 'word', 'barracuda', null, null, 'bot', 'agent_scanner', null),
    (101, 'any', 'User-Agent', 'word', 'ciscosecureemail', null, null, 'bot', 'agent_scanner', null),
    (102, 'any', 'User-Agent', 'word', 'cloudflareradarurlscanner', null, null, 'bot', 'agent_scanner', null),
    (103, 'any', 'User-Agent', 'word', 'forcepoint', null, null, 'bot', 'agent_scanner', null),
    (104, 'any', 'User-Agent', 'word', 'microsoft office existence discovery', null, null, 'bot', 'agent_scanner', null),
    (105, 'any', 'User-Agent', 'word', 'mimecast', null, null, 'bot', 'agent_scanner', null),
    (106, 'any', 'User-Agent', 'word', 'proofpoint', null, null, 'bot', 'agent_scanner', null),
    (107, 'any', 'User-Agent', 'word', 'safelinks', null, null, 'bot', 'agent_scanner', null),
    (108, 'any', 'User-Agent', 'word', 'scmguard', null, null, 'bot', 'agent_scanner', null),
    (109, 'any', 'User-Agent', 'word', 'sophos', null, null, 'bot', 'agent_scanner', null),
    (110, 'any', 'User-Agent', 'word', 'symantec', null, null, 'bot', 'agent_scanner', null),
    (111, 'any', 'User-Agent', 'word', 'tmes', null, null, 'bot', 'agent_scanner', null),
    (112, 'any', 'User-Agent', 'word', 'trendmicro', null, null, 'bot', 'agent_scanner', null),
    (113, 'any', 'User-Agent', 'word', 'urldefense', null, null, 'bot', 'agent_scanner', null),
    (114, 'any', 'User-Agent', 'word', 'virustotal', null, null, 'bot', 'agent_scanner', null),
    (115, 'any', 'User-Agent', 'word', 'zscaler', null, null, 'bot', 'agent_scanner', null),
    (200, 'any', 'User-Agent', 'word', 'bingpreview', null, null, 'bot', 'agent_preview', null),
    (201, 'any', 'User-Agent', 'word', 'facebookexternalhit', null, null, 'bot', 'agent_preview', null),
    (202, 'any', 'User-Agent', 'word', 'microsoftpreview', null, null, 'bot', 'agent_preview', null),
    (203, 'any', 'User-Agent', 'word', 'skypeuripreview', null, null, 'bot', 'agent_preview', null),
    (204, 'any', 'User-Agent', 'word', 'slack-imgproxy', null, null, 'bot', 'agent_preview', null),
    (205, 'any', 'User-Agent', 'word', 'slackbot', null, null, 'bot', 'agent_preview', null),
    (206, 'any', 'User-Agent', 'word', 'telegrambot', null, null, 'bot', 'agent_preview', null),
    (207, 'any', 'User-Agent', 'word', 'whatsapp', null, null, 'bot', 'agent_preview', null),
    (300, 'any', 'User-Agent', 'word', 'aiohttp', null, null, 'bot', 'agent_library', null),
    (301, 'any', 'User-Agent', 'word', 'apache-httpclient', null, null, 'bot', 'agent_library', null),
    (302, 'any', 'User-Agent', 'word', 'axios/', null, null, 'bot', 'agent_library', null),
    (303, 'any', 'User-Agent', 'word', 'curl/', null, null, 'bot', 'agent_library', null),
    (304, 'any', 'User-Agent', 'word', 'go-http-client', null, null, 'bot', 'agent_library', null),
    (305, 'any', 'User-Agent', 'word', 'guzzlehttp', null, null, 'bot', 'agent_library', null),
    (306, 'any', 'User-Agent', 'word', 'headless', null, null, 'bot', 'agent_library', null),
    (307, 'any', 'User-Agent', 'word', 'java/', null, null, 'bot', 'agent_library', null),
    (308, 'any', 'User-Agent', 'word', 'libwww-perl', null, null, 'bot', 'agent_library', null),
    (309, 'any', 'User-Agent', 'word', 'node-fetch', null, null, 'bot', 'agent_library', null),
    (310, 'any', 'User-Agent', 'word', 'okhttp', null, null, 'bot', 'agent_library', null),
    (311, 'any', 'User-Agent', 'word', 'phantomjs', null, null, 'bot', 'agent_library', null),
    (312, 'any', 'User-Agent', 'word', 'python-', null, null, 'bot', 'agent_library', null),
    (313, 'any', 'User-Agent', 'word', 'wget/', null, null, 'bot', 'agent_library', null),
    (400, 'any', 'User-Agent', 'empty', '', 'microsoft', null, 'bot', 'agent_empty_microsoft', 'looks into links'),
    (401, 'any', 'User-Agent', 'empty', '', 'hosting', null, 'bot', 'agent_empty_hosting', null),
    (410, 'click', 'Accept', 'starts', 'image/', null, null, 'bot', 'accept_no_page', 'asks for a picture where a link leads to a page'),
    (411, 'click', 'Accept', 'starts', 'application/json', null, null, 'bot', 'accept_no_page', null),
    (500, 'view', 'User-Agent', 'is', 'Mozilla/5.0', 'apple_relay', null, 'prefetch', 'apple_mpp_relay', null),
    (501, 'view', 'User-Agent', 'is', 'Mozilla/5.0', null, null, 'prefetch', 'apple_mpp', 'Apple Mail Privacy Protection'),
    (510, 'view', 'User-Agent', 'word', 'edge/12.246 mozilla/5.0', null, null, 'prefetch', 'google_prefetch', 'fetches at delivery'),
    (520, 'view', 'User-Agent', 'word', 'googleimageproxy', null, '60 s', 'prefetch', 'google_proxy_early', 'may fetch at delivery'),
    (521, 'view', 'User-Agent', 'word', 'googleimageproxy', null, null, 'proxy', 'google_proxy', null),
    (530, 'view', 'User-Agent', 'ends', 'applewebkit/605.1.15 (khtml, like gecko)', null, '60 s', 'prefetch', 'webkit_early', 'Apple Mail without it, and fetchers of others'),
    (540, 'view', 'User-Agent', 'word', 'yahoomailproxy', null, null, 'proxy', 'yahoo_proxy', null),
    (550, 'view', 'User-Agent', 'word', 'fastmailua/', null, null, 'proxy', 'fastmail_proxy', null),
    (560, 'view', 'User-Agent', 'word', 'shortwave image fetcher', null, null, 'proxy', 'shortwave_proxy', null),
    (600, 'any', 'User-Agent', 'word', 'airmail', null, null, null, 'person', null),
    (601, 'any', 'User-Agent', 'word', 'k9mail', null, null, null, 'person', null),
    (602, 'any', 'User-Agent', 'word', 'microsoft outlook', null, null, null, 'person', null),
    (603, 'any', 'User-Agent', 'word', 'thunderbird', null, null, null, 'person', null),
    (604, 'any', 'User-Agent', 'word', 'cubot', null, null, null, 'person', 'a telephone, no bot'),
    (700, 'any', 'User-Agent', 'word_end', 'bot', null, null, 'bot', 'agent_crawler', null),
    (701, 'any', 'User-Agent', 'word_end', 'crawler', null, null, 'bot', 'agent_crawler', null),
    (702, 'any', 'User-Agent', 'word_end', 'spider', null, null, 'bot', 'agent_crawler', null),
    (800, 'any', 'User-Agent', 'starts', 'mozilla/5.0 (', null, null, null, 'person', 'what browsers and most mail programs have sent since 1995'),
    (801, 'any', 'User-Agent', 'starts', 'mozilla/4.0 (', null, null, null, 'person', null),
    (900, 'click', null, 'always', '', null, '3 s', 'bot', 'too_soon', 'nobody reads that fast'),
    (910, 'click', null, 'always', '', 'hosting', '120 s', 'unknown', 'hosting_early', 'stays unless the mail had not been viewed; see spoor.judge_hindsight()'),
    (1000, 'click', 'Referer', 'host', 'safelinks.protection.outlook.com', null, null, 'human', 'referer_rewriter', 'a portal in front of links: somebody followed one'),
    (1001, 'click', 'Referer', 'host', 'urldefense.proofpoint.com', null, null, 'human', 'referer_rewriter', null),
    (1002, 'click', 'Referer', 'host', 'urldefense.com', null, null, 'human', 'referer_rewriter', null),
    (1003, 'click', 'Referer', 'host', 'linkprotect.cudasvc.com', null, null, 'human', 'referer_rewriter', null),
    (1004, 'click', 'Referer', 'host', 'mimecast.com', null, null, 'human', 'referer_rewriter', null),
    (1005, 'click', 'Referer', 'host', 'secure-web.cisco.com', null, null, 'human', 'referer_rewriter', null),
    (1100, 'click', 'Referer', 'host', 'mail.google.com', null, null, 'human', 'referer_webmail', null),
    (1101, 'click', 'Referer', 'host', 'outlook.live.com', null, null, 'human', 'referer_webmail', null),
    (1102, 'click', 'Referer', 'host', 'outlook.office.com', null, null, 'human', 'referer_webmail', null),
    (1103, 'click', 'Referer', 'host', 'outlook.office365.com', null, null, 'human', 'referer_webmail', null),
    (1104, 'click', 'Referer', 'host', 'mail.yahoo.com', null, null, 'human', 'referer_webmail', null),
    (1105, 'click', 'Referer', 'host', 'mail.aol.com', null, null, 'human', 'referer_webmail', null),
    (1106, 'click', 'Referer', 'host', 'mail.proton.me', null, null, 'human', 'referer_webmail', null),
    (1107, 'click', 'Referer', 'host', 'app.fastmail.com', null, null, 'human', 'referer_webmail', null),
    (1108, 'click', 'Referer', 'host', 'mail.zoho.com', null, null, 'human', 'referer_webmail', null);
insert into spoor.network_rule (network, source, kind, younger_than, verdict, reason, note) values
    ('104.47.0.0/16', 'spoor', 'any', null, null, 'microsoft', 'Exchange Online Protection; looks into links without a name');

create function spoor.tell_rules() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$ begin perform pg_notify('spoor_rules', ''); return null; end $$;
comment on function spoor.tell_rules() is 'Tells whoever listens to spoor_rules that rules have changed.';
create trigger tell_rules after insert or update or delete or truncate on spoor.agent_rule
    for each statement execute function spoor.tell_rules();
create trigger tell_rules after insert or update or delete or truncate on spoor.network_rule
    for each statement execute function spoor.tell_rules();

create table spoor.receiver_rule (
    host text primary key check (host = lower(host)),
    grace interval not null check (grace between '0 s' and '1 day'),
    note text
);
comment on table spoor.receiver_rule is 'For how long after a delivery a receiver''s own scanners may be at work. The longest host that fits counts.';
comment on column spoor.receiver_rule.host is 'The receiving server''s name, or a domain above it; empty for all others.';
comment on column spoor.receiver_rule.grace is 'A view or click so soon after the delivery is nobody''s for certain.';
comment on column spoor.receiver_rule.note is 'For people.';
insert into spoor.receiver_rule (host, grace, note) values
    ('', '1 minute', 'unless something is known of the receiver'),
    ('protection.outlook.com', '5 minutes', 'Safe Links looks at links after delivery'),
    ('pphosted.com', '5 minutes', 'Proofpoint'),
    ('mimecast.com', '5 minutes', 'Mimecast'),
    ('google.com', '1 minute', 'fetches images at delivery');

create function spoor.grace_of(relay text) returns interval
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$ select r.grace from spoor.receiver_rule r
          where r.host = '' or lower($1) = r.host or lower($1) like '%.' || r.host order by length(r.host) desc limit 1 $$;
comment on function spoor.grace_of(text) is 'The time of spoor.receiver_rule for a server; null when no rule fits.';

grant select on spoor.agent_rule, spoor.network_rule to spoor_pixeld;
grant insert, update, delete on spoor.agent_rule, spoor.network_rule, spoor.receiver_rule to spoor_admin;
