-- SPDX-License-Identifier: BSD-2-Clause
-- Verdicts: what is known of programs and networks, and what hindsight tells.

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

-- Hindsight

create table spoor.hindsight (
    batch bigint not null default 0,
    ran_at timestamptz not null default now()
);
create unique index hindsight_is_one_row on spoor.hindsight ((true));
insert into spoor.hindsight default values;
comment on table spoor.hindsight is 'One row: how far spoor.judge_hindsight() has come.';
comment on column spoor.hindsight.batch is 'Up to this number of spoor.batch everything has been looked at.';
comment on column spoor.hindsight.ran_at is 'When it last had something to do.';

create function spoor.reason_number(name text) returns smallint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    found_number smallint;
begin
    select r.id into found_number from spoor.reason r where r.hash = md5(reason_number.name)::uuid;
    if found_number is null then
        insert into spoor.reason (hash, name) values (md5(reason_number.name)::uuid, reason_number.name)
            on conflict (hash) do nothing;
        select r.id into found_number from spoor.reason r where r.hash = md5(reason_number.name)::uuid;
    end if;
    return found_number;
end $$;
comment on function spoor.reason_number(text) is 'The number of a reason in spoor.reason, given now if it has none.';

-- Each rule takes the views and clicks that are new, looks at what lies around them, and writes rows of
-- spoor.event_verdict. Times are cut into tenths of a second, so that a thousand clicks on one link are looked at as
-- a few, and into blocks as long as a burst may last, so that a click is compared with its own block and the next.

create function spoor.judge_bursts(fresh spoor.event[]) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with setting as (
        select s.*, greatest(burst_within, burst_all_within) as longest,
               greatest(extract(epoch from greatest(burst_within, burst_all_within)), 0.1)::float8 as block
        from spoor.verdict_setting s),
    touched as (
        -- one of several recipients: only clicks from one address belong together
        select f.message, f.recipient, case when f.recipient = 0 then f.address end as address,
               min(f.at_time) - max(s.longest) as first, max(f.at_time) + max(s.longest) as last
        from unnest($1) f cross join setting s
        where f.kind = 'c' and (f.recipient <> 0 or f.address is not null)
        group by 1, 2, 3),
    near as materialized (
        select e.spool, e.record, e.message, e.recipient, t.address, e.link, e.at_time, e.verdict,
               floor(extract(epoch from e.at_time) / s.block)::bigint as block,
               floor(extract(epoch from e.at_time) * 10)::bigint as tenth
        from touched t cross join setting s
        join spoor.judged_event e on e.message = t.message and e.recipient = t.recipient and e.kind = 'c'
             and (t.recipient <> 0 or e.address = t.address) and e.at_time between t.first and t.last),
    once as materialized (
        select n.message, n.recipient, n.address, n.link, n.block, min(n.at_time) as at_time
        from near n
        join (select message, recipient, address from near group by 1, 2, 3 having count(distinct link) > 1) several
             on several.message = n.message and several.recipient = n.recipient
             and several.address is not distinct from n.address
        group by n.message, n.recipient, n.address, n.link, n.block, n.tenth),
    windows as (
        select b.message, b.recipient, b.address, b.block, b.at_time,
               count(distinct o.link) filter (where o.at_time < b.at_time + s.burst_within) >= s.burst_links as short,
               count(distinct o.link) filter (where o.at_time < b.at_time + s.burst_all_within) as links
        from once b cross join setting s
        join (select *, block as seen_from from once union all select *, block - 1 from once) o
             on o.message = b.message and o.recipient = b.recipient and o.address is not distinct from b.address
             and o.seen_from = b.block and o.at_time >= b.at_time and o.at_time <= b.at_time + s.longest
        group by b.message, b.recipient, b.address, b.block, b.at_time, s.burst_links),
    bursts as (
        select w.*, case when w.short then s.burst_within else s.burst_all_within end as lasts
        from windows w cross join setting s
        where w.short or w.links >= 3
              and w.links = (select count(*) from spoor.link l where l.message = w.message))
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select distinct n.spool, n.record, 'b'::"char", spoor.reason_number('burst')
    from bursts b
    join near n on n.message = b.message and n.recipient = b.recipient and n.address is not distinct from b.address
         and n.block in (b.block, b.block + 1) and n.at_time >= b.at_time and n.at_time < b.at_time + b.lasts
    where n.verdict not in ('b', 's') $$;
comment on function spoor.judge_bursts(spoor.event[]) is 'Clicks on several links of one mail faster than anybody reads are a scanner''s.';

create function spoor.judge_crowds(fresh spoor.event[]) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with setting as (
        select s.*, greatest(extract(epoch from crowd_within), 0.1)::float8 as block from spoor.verdict_setting s),
    touched as (
        -- behind a proxy that is not trusted all the world has one private address
        select f.address, f.agent, min(f.at_time) - max(s.crowd_within) as first, max(f.at_time) + max(s.crowd_within) as last
        from unnest($1) f cross join setting s
        where f.verdict in ('h', 'u')
              and not f.address <<= any (array['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16',
                  '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10']::inet[])
        group by 1, 2),
    near as materialized (
        select e.spool, e.record, e.address, e.agent, e.message, e.recipient, e.at_time,
               floor(extract(epoch from e.at_time) / s.block)::bigint as block,
               floor(extract(epoch from e.at_time) * 10)::bigint as tenth
        from touched t cross join setting s
        join spoor.judged_event e on e.address = t.address and e.agent = t.agent and e.at_time between t.first and t.last
        where e.kind in ('v', 'c') and e.verdict in ('h', 'u')
              and e.at_time between (select min(first) from touched) and (select max(last) from touched)),
    once as materialized (
        select n.address, n.agent, n.message, n.recipient, n.block, min(n.at_time) as at_time
        from near n
        join (select address, agent from near cross join setting s group by 1, 2, s.crowd_recipients
              having count(distinct (message, recipient)) >= s.crowd_recipients) many
             on many.address = n.address and many.agent = n.agent
        group by n.address, n.agent, n.message, n.recipient, n.block, n.tenth),
    crowds as (
        select b.address, b.agent, b.block, b.at_time
        from once b cross join setting s
        join (select *, block as seen_from from once union all select *, block - 1 from once) o
             on o.address = b.address and o.agent = b.agent and o.seen_from = b.block
             and o.at_time >= b.at_time and o.at_time < b.at_time + s.crowd_within
        group by b.address, b.agent, b.block, b.at_time, s.crowd_recipients
        having count(distinct (o.message, o.recipient)) >= s.crowd_recipients)
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select distinct n.spool, n.record, 'b'::"char", spoor.reason_number('crowd')
    from crowds c cross join setting s
    join near n on n.address = c.address and n.agent = c.agent and n.block in (c.block, c.block + 1)
         and n.at_time >= c.at_time and n.at_time < c.at_time + s.crowd_within $$;
comment on function spoor.judge_crowds(spoor.event[]) is 'What many recipients were sent, asked for from one address at once, is asked for by a scanner.';

create function spoor.judge_early_clicks(fresh spoor.event[]) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select f.spool, f.record, 'b'::"char", spoor.reason_number('hosting_not_viewed')
    from unnest($1) f
    join spoor.judged_event e on e.message = f.message and e.spool = f.spool and e.record = f.record
    where f.kind = 'c' and f.reason = (select r.id from spoor.reason r where r.hash = md5('hosting_early')::uuid)
          and e.verdict = 'u'
          and not exists (select from spoor.judged_event v
                          where v.message = f.message and v.recipient = f.recipient and v.kind = 'v'
                                and v.verdict in ('h', 'p', 'u') and v.at_time <= f.at_time) $$;
comment on function spoor.judge_early_clicks(spoor.event[]) is 'A click from a hosting network soon after the mail went, before anybody viewed it, is a scanner''s.';

create function spoor.judge_hindsight(most integer default 20000) returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    done bigint;
    upto bigint;
    one spoor.batch;
    fresh spoor.event[] := '{}';
    first_new bigint;
    last_new bigint;
    judged bigint;
begin
    if not pg_try_advisory_xact_lock(hashtext('spoor.judge_hindsight')) then
        return 0; -- another is at it
    end if;
    select h.batch into done from spoor.hindsight h;
    select max(b.number) into upto
        from (select w.number, sum(w.records) over (order by w.number) - w.records as before
              from (select * from spoor.batch n where n.number > done order by n.number limit 200) w) b
        where b.before < most;
    if upto is null then
        return 0;
    end if;
    for one in select * from spoor.batch b where b.number > done and b.number <= upto and b.spool <> 0 order by b.number loop
        -- so that old partitions are not looked at
        fresh := fresh || array(select e from spoor.event e
            where e.spool = one.spool and e.record between one.first_record and one.last_record
                  and e.at_time > one.loaded_at - interval '40 days' and e.kind in ('v', 'c'));
    end loop;
    select coalesce(max(v.number), 0) into last_new from spoor.event_verdict v;
    if fresh <> '{}' then
        perform spoor.judge_bursts(fresh);
        perform spoor.judge_crowds(fresh);
        perform spoor.judge_early_clicks(fresh);
    end if;
    update spoor.hindsight set batch = upto, ran_at = now();
    select min(v.number), max(v.number), count(*) into first_new, last_new, judged
        from spoor.event_verdict v where v.number > last_new;
    if judged > 0 then
        perform spoor.add_batch(0::smallint, first_new, last_new, judged::integer);
    end if;
    return judged;
end $$;
comment on function spoor.judge_hindsight(integer) is 'Judges again what was loaded since the last run, up to about so many records; gives how many verdicts changed. Every spoor-pixeld calls it every few seconds; one runs at a time, the others find nothing to do.';

-- Hits under a key that was not known

create function spoor.token_key(target text) returns integer
    language sql immutable strict parallel safe
    as $$
    -- bits 8 to 15 of the token lie in its second, third and fourth character
    select ((strpos(digits, substr(token, 2, 1)) - 1) & 3) << 6 | ((strpos(digits, substr(token, 3, 1)) - 1) & 31) << 1
           | ((strpos(digits, substr(token, 4, 1)) - 1) & 31) >> 4
    from (select 'abcdefghijklmnopqrstuvwxyz234567' as digits, lower(substr(target, 4, 4)) as token) t $$;
comment on function spoor.token_key(text) is 'Number of the key that the token in a request target such as /o/TOKEN.gif names.';

create index unjudged_hit_key on spoor.unjudged_hit (spoor.token_key(target));

create function spoor.judge_hit(spool smallint, record bigint, genuine boolean, message bigint, recipient integer,
                                link smallint, kind "char") returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    hit spoor.unjudged_hit;
begin
    delete from spoor.unjudged_hit u where u.spool = judge_hit.spool and u.record = judge_hit.record returning * into hit;
    if not found or not genuine then
        return false;
    end if;
    perform spoor.ensure_partitions(hit.at_time, hit.at_time);
    insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
        values (hit.at_time, judge_hit.message, hit.record, judge_hit.recipient, hit.agent, hit.spool, judge_hit.link,
                judge_hit.kind, hit.verdict, hit.reason, hit.address);
    perform spoor.add_batch(hit.spool, hit.record, hit.record, 1);
    return true;
end $$;
comment on function spoor.judge_hit(smallint, bigint, boolean, bigint, integer, smallint, "char") is 'Turns a hit whose key is known now into an event, or drops it when its signature was wrong; false when it made no event.';

revoke all on all functions in schema spoor from public;
grant select on spoor.agent_rule, spoor.network_rule, spoor.unjudged_hit to spoor_pixeld;
grant execute on function spoor.judge_hindsight(integer), spoor.token_key(text),
    spoor.judge_hit(smallint, bigint, boolean, bigint, integer, smallint, "char") to spoor_pixeld;
grant select on all tables in schema spoor to spoor_admin;
grant insert, update, delete on spoor.agent_rule, spoor.network_rule to spoor_admin;
grant update on spoor.verdict_setting to spoor_admin;
grant execute on all functions in schema spoor to spoor_admin;
