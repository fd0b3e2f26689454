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

create function spoor.rushes(who integer[], at timestamptz[], before integer[], behind integer[], enough integer[],
                             within interval) returns integer[]
    language plpgsql immutable
    set search_path = pg_catalog, pg_temp
    as $$
declare
    first integer := 1; -- the window is first to last
    last integer;
    different integer := 0;
    marked integer := 0;
    found_at integer[] := '{}';
begin
    for last in 1 .. coalesce(cardinality(who), 0) loop
        while first < last and (who[first] <> who[last] or at[last] - at[first] >= within) loop
            if behind[first] = 0 or behind[first] >= last then
                different := different - 1;
            end if;
            first := first + 1;
        end loop;
        if before[last] < first then
            different := different + 1;
        end if;
        if different >= enough[last] then
            for n in greatest(first, marked + 1) .. last loop
                found_at[cardinality(found_at) + 1] := n;
            end loop;
            marked := last;
        end if;
    end loop;
    return found_at;
end $$;
comment on function spoor.rushes(integer[], timestamptz[], integer[], integer[], integer[], interval) is 'The places of what somebody did in a rush. The arrays describe acts in the order of who and when; before and behind are the places of the same act by the same one, or 0. A rush is a window shorter than within with enough different acts. One pass, so that a flood costs no more than its length.';

create function spoor.add_verdicts(spools smallint[], records bigint[], places integer[], reason text) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select $1[place], $2[place], 'b'::"char", n.number
    from (select distinct place from unnest($3) place) p
    cross join (select spoor.reason_number($4) as number where $3 <> '{}') n
    where not exists (select from spoor.event_verdict v where v.spool = $1[place] and v.record = $2[place]) $$;
comment on function spoor.add_verdicts(smallint[], bigint[], integer[], text) is 'Calls the events at these places of the arrays bot, unless they have been judged again before.';

-- Each rule takes the views and clicks that are new, looks at what lies around them, and writes rows of
-- spoor.event_verdict. What lies around is found by a time that the planner knows, not by one a row.

-- few rows, or none where no mail has a decoy: then nothing is looked at but this
create index event_decoy on spoor.event (at_time) where kind = 'c' and link = 32767;

create function spoor.judge_decoys(fresh spoor.event[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
    as $$
declare
    setting spoor.verdict_setting;
    messages bigint[];
    since timestamptz;
    until timestamptz;
    longest interval;
    decoy smallint;
begin
    select * into setting from spoor.verdict_setting;
    select array_agg(distinct f.message), min(f.at_time), max(f.at_time) into messages, since, until
        from unnest(fresh) f where f.kind = 'c';
    longest := setting.decoy_within + setting.decoy_per_link * 2000; -- no mail has more numbered links
    select array_agg(distinct e.message) into messages from spoor.event e
        where e.message in (select unnest(messages)) and e.at_time between since - longest and until + longest
              and e.kind = 'c' and e.link = 32767;
    if messages is null then
        return;
    end if;
    select setting.decoy_within + setting.decoy_per_link * coalesce(max(s.links), 0) into longest
        from (select count(*) as links from spoor.link l where l.message = any (messages) group by l.message) s;
    since := since - longest;
    until := until + longest;
    decoy := spoor.reason_number('decoy');
    insert into spoor.event_verdict (spool, record, verdict, reason)
    with near as (
        -- behind a token for one of several recipients only clicks from one address belong together
        select e.spool, e.record, e.message, e.recipient, e.at_time, e.verdict, spoor.is_decoy(e.kind, e.link) as is_decoy,
               case when e.recipient = 0 then e.address end as place
        from spoor.event e
        where e.message in (select unnest(messages)) and e.at_time between since and until and e.kind = 'c' and e.verdict <> 's'
              and (e.recipient <> 0 or e.address is not null)),
    timed as (
        select n.*, max(at_time) filter (where is_decoy) over (same order by at_time) as before,
               min(at_time) filter (where is_decoy) over (same order by at_time desc) as behind
        from near n window same as (partition by message, recipient, place)),
    reaches as (
        select m.message, setting.decoy_within + setting.decoy_per_link * count(l.number) as reach
        from unnest(messages) m (message) left join spoor.link l on l.message = m.message group by m.message)
    select t.spool, t.record, 'b', decoy
    from timed t join reaches r on r.message = t.message
    where not t.is_decoy and (t.at_time - t.before <= r.reach or t.behind - t.at_time <= r.reach)
          and coalesce((select v.verdict from spoor.event_verdict v where v.spool = t.spool and v.record = t.record
                        order by v.number desc limit 1), t.verdict) <> 'b';
end $$;
comment on function spoor.judge_decoys(spoor.event[]) is 'Who follows the link that no person sees is a scanner, and so the other clicks on that mail for the same recipient around that time are its, too.';

create function spoor.judge_bursts(fresh spoor.event[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
    as $$
declare
    setting spoor.verdict_setting;
    longest interval;
    messages bigint[];
    since timestamptz;
    until timestamptz;
    spools smallint[];
    records bigint[];
    who integer[];
    at timestamptz[];
    before integer[];
    behind integer[];
    every integer[];
begin
    select * into setting from spoor.verdict_setting;
    longest := greatest(setting.burst_within, setting.burst_all_within);
    select array_agg(distinct f.message), min(f.at_time) - longest, max(f.at_time) + longest into messages, since, until
        from unnest(fresh) f where f.kind = 'c';
    if messages is null then
        return;
    end if;
    with near as (
        -- behind a token for one of several recipients only clicks from one address belong together
        select e.spool, e.record, e.message, e.recipient, e.link, e.at_time,
               case when e.recipient = 0 then e.address end as place
        from spoor.event e
        where e.message in (select unnest(messages)) and e.at_time between since and until and e.kind = 'c' and e.verdict <> 's'
              and not spoor.is_decoy(e.kind, e.link) and (e.recipient <> 0 or e.address is not null)),
    placed as (
        select n.*, row_number() over (order by message, recipient, place, at_time, spool, record)::integer as number,
               dense_rank() over (order by message, recipient, place)::integer as who
        from near n),
    linked as (
        select p.*, coalesce(lag(number) over same, 0) as before, coalesce(lead(number) over same, 0) as behind
        from placed p window same as (partition by p.who, p.link order by p.number)),
    sizes as (
        -- fewer than three links tell nothing
        select l.message, nullif(greatest(count(*), 2), 2) as links from spoor.link l
        where l.message = any (messages) group by l.message)
    select array_agg(l.spool order by number), array_agg(l.record order by number), array_agg(l.who order by number),
           array_agg(l.at_time order by number), array_agg(l.before order by number), array_agg(l.behind order by number),
           array_agg(coalesce(s.links, 1000000)::integer order by number)
        into spools, records, who, at, before, behind, every
        from linked l left join sizes s on s.message = l.message;
    perform spoor.add_verdicts(spools, records,
        spoor.rushes(who, at, before, behind, array_fill(setting.burst_links, array[cardinality(who)]), setting.burst_within)
        || spoor.rushes(who, at, before, behind, every, setting.burst_all_within), 'burst');
end $$;
comment on function spoor.judge_bursts(spoor.event[]) is 'Clicks on several links of one mail faster than anybody reads are a scanner''s.';

create function spoor.judge_crowds(fresh spoor.event[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
    as $$
declare
    setting spoor.verdict_setting;
    addresses inet[];
    since timestamptz;
    until timestamptz;
    spools smallint[];
    records bigint[];
    who integer[];
    at timestamptz[];
    before integer[];
    behind integer[];
begin
    select * into setting from spoor.verdict_setting;
    -- behind a proxy that is not trusted all the world has one private address
    select array_agg(distinct f.address), min(f.at_time) - setting.crowd_within, max(f.at_time) + setting.crowd_within
        into addresses, since, until
        from unnest(fresh) f
        where f.verdict in ('h', 'u')
              and not f.address <<= any (array['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16',
                  '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10']::inet[]);
    if addresses is null then
        return;
    end if;
    with near as (
        select e.spool, e.record, e.message, e.recipient, e.at_time, e.address, e.agent
        from spoor.event e
        where e.at_time between since and until and e.address in (select unnest(addresses)) and e.kind in ('v', 'c')
              and e.verdict in ('h', 'u')),
    placed as (
        select n.*, row_number() over (order by address, agent, at_time, spool, record)::integer as number,
               dense_rank() over (order by address, agent)::integer as who
        from near n),
    linked as (
        select p.*, coalesce(lag(number) over same, 0) as before, coalesce(lead(number) over same, 0) as behind
        from placed p window same as (partition by p.who, p.message, p.recipient order by p.number))
    select array_agg(spool order by number), array_agg(record order by number), array_agg(l.who order by number),
           array_agg(at_time order by number), array_agg(l.before order by number), array_agg(l.behind order by number)
        into spools, records, who, at, before, behind
        from linked l;
    perform spoor.add_verdicts(spools, records,
        spoor.rushes(who, at, before, behind, array_fill(setting.crowd_recipients, array[cardinality(who)]),
                     setting.crowd_within), 'crowd');
end $$;
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

create function spoor.judge_batches(most integer) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    done bigint;
    upto bigint;
    one record;
    fresh spoor.event[] := '{}';
    together spoor.event[];
begin
    select h.batch into done from spoor.hindsight h;
    select max(b.number) into upto
        from (select w.number, sum(w.records) over (order by w.number) - w.records as before
              from (select * from spoor.batch n where n.number > done order by n.number limit 200) w) b
        where b.before < most;
    if upto is null then
        return;
    end if;
    for one in
        select * from spoor.record_runs(done + 1, upto)
    loop
        -- the time keeps old partitions out
        fresh := fresh || array(select e::spoor.event from spoor.event e
            where e.spool = one.spool and e.record between one.first and one.last
                  and e.at_time > one.loaded_at - interval '40 days' and e.kind in ('v', 'c'));
        perform spoor.judge_own(array(select e::spoor.event from spoor.event e
            where e.spool = one.spool and e.record between one.first and one.last
                  and e.at_time > one.loaded_at - interval '40 days' and e.kind in ('F', 'O', 'R', 'D')));
    end loop;
    -- what came late is looked at apart, so that no rule looks at all the time between
    for together in select array_agg(f::spoor.event) from unnest(fresh) f group by floor(extract(epoch from f.at_time) / 300) loop
        perform spoor.judge_decoys(together);
        perform spoor.judge_bursts(together);
        perform spoor.judge_crowds(together);
        perform spoor.judge_early_clicks(together);
        perform spoor.judge_by_delivery(together);
        perform spoor.judge_own(together);
    end loop;
    update spoor.hindsight set batch = upto, ran_at = now();
end $$;
comment on function spoor.judge_batches(integer) is 'Judges again what was loaded since the last run, up to about so many records; for spoor.judge_hindsight().';

create function spoor.judge_hindsight(most integer default 20000) returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    first_new bigint;
    last_new bigint;
    judged bigint;
begin
    if not pg_try_advisory_xact_lock(hashtext('spoor.judge_hindsight')) then
        return 0; -- another is at it
    end if;
    select coalesce(max(v.number), 0) into last_new from spoor.event_verdict v;
    perform spoor.judge_batches(most);
    perform spoor.judge_delivered();
    perform spoor.judge_documents(most);
    select min(v.number), max(v.number), count(*) into first_new, last_new, judged
        from spoor.event_verdict v where v.number > last_new;
    if judged > 0 then
        perform spoor.add_batch(0::smallint, first_new, last_new, judged::integer);
    end if;
    return judged;
end $$;
comment on function spoor.judge_hindsight(integer) is 'Judges again what was loaded since the last run, up to about so many records, and what deliveries throw a new light on; gives how many verdicts changed. Every spoor-pixeld calls it every few seconds; one runs at a time, the others find nothing to do.';

-- Hits under a key that was not known

create function spoor.token_key(target text) returns integer
    language sql immutable strict parallel safe
    as $$
    -- bits 8 to 15 of the token lie in its second, third and fourth character
    select (((strpos(digits, substr(token, 2, 1)) - 1) & 3) << 6) | (((strpos(digits, substr(token, 3, 1)) - 1) & 31) << 1)
           | (((strpos(digits, substr(token, 4, 1)) - 1) & 31) >> 4)
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
    if exists (select from spoor.sink_rule) and spoor.is_counted(judge_hit.kind, hit.verdict) then
        perform spoor.fill_outbox('{}', array[judge_hit.message], hit.spool, array[hit.record], array[judge_hit.kind::text],
                                  array[(extract(epoch from hit.at_time) * 1000000)::bigint], array[judge_hit.recipient],
                                  array[judge_hit.link]);
    end if;
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
