-- SPDX-License-Identifier: BSD-2-Clause
-- Readers: who read which document, and for how long; what the viewer of spoor-pixeld tells.

create table spoor.document_setting (
    visit_gap interval not null default '10 min' check (visit_gap >= '0'),
    read_after interval not null default '1 s' check (read_after between '0' and '1 min'),
    confirm_after interval not null default '3 s' check (confirm_after between '0' and '10 min'),
    crowd_links integer not null default 3 check (crowd_links >= 2),
    crowd_within interval not null default '1 min' check (crowd_within between '0' and '1 h')
);
create unique index document_setting_is_one_row on spoor.document_setting ((true));
insert into spoor.document_setting default values;
comment on table spoor.document_setting is 'One row: what counts as reading a document. Change it with update; what was told in the feed stays.';
comment on column spoor.document_setting.visit_gap is 'Who comes back to a document sooner than this after having left it makes the same visit.';
comment on column spoor.document_setting.read_after is 'A page that was in sight for less was only passed.';
comment on column spoor.document_setting.confirm_after is 'A document that was in sight for so long, or two pages of it for read_after each, and by which mouse, keys or touch were used, was opened by a person.';
comment on column spoor.document_setting.crowd_links is 'Links of so many recipients opened from one address within crowd_within: probably a scanner.';
comment on column spoor.document_setting.crowd_within is 'See crowd_links.';

create table spoor.document_view (
    view uuid primary key,
    started_at timestamptz not null,
    last_at timestamptz not null,
    confirmed_at timestamptz,
    message bigint not null,
    document bigint not null,
    recipient integer not null,
    visible_ms integer not null,
    trusted integer not null,
    number smallint not null,
    verdict "char" not null,
    automated boolean not null,
    crowd boolean not null default false,
    unsettled boolean not null default true,
    address inet
);
create index document_view_link on spoor.document_view (message, number, recipient, last_at);
create index document_view_address on spoor.document_view (address, started_at) where address is not null;
create index document_view_unsettled on spoor.document_view (view) where unsettled;
comment on table spoor.document_view is 'Each opening of a document in a browser, as its script told it: the raw facts. spoor.document_view_class() says what they mean.';
comment on column spoor.document_view.view is 'Made when the page was served; tells it from all others.';
comment on column spoor.document_view.started_at is 'When the page was served.';
comment on column spoor.document_view.last_at is 'When it last told something.';
comment on column spoor.document_view.confirmed_at is 'Since when a person is believed to read; see spoor.document_setting.confirm_after.';
comment on column spoor.document_view.message is 'The mail.';
comment on column spoor.document_view.document is 'Which document was shown.';
comment on column spoor.document_view.recipient is 'Key of the recipient; 0: one of the recipients.';
comment on column spoor.document_view.visible_ms is 'How long it was in sight, in milliseconds; without the time in which nobody moved anything.';
comment on column spoor.document_view.trusted is 'Uses of mouse, wheel, keys and touch that no script has made up.';
comment on column spoor.document_view.number is 'Which attachment of the mail.';
comment on column spoor.document_view.verdict is 'As in spoor.event: what program and network said.';
comment on column spoor.document_view.automated is 'Whether the browser said that a program drives it.';
comment on column spoor.document_view.crowd is 'Whether it was opened together with those of other recipients; see spoor.document_setting.crowd_links.';
comment on column spoor.document_view.unsettled is 'Whether spoor.judge_documents() has to look at it.';
comment on column spoor.document_view.address is 'Network address of the client, where it is kept.';

create table spoor.document_view_page (
    view uuid not null references spoor.document_view on delete cascade,
    first_at timestamptz not null,
    last_at timestamptz not null,
    page integer not null,
    ms integer not null,
    told boolean not null default false,
    primary key (view, page)
);
comment on table spoor.document_view_page is 'How long each page was in sight. The page with the largest part of the window counts, and nothing while another window or tab is in front.';
comment on column spoor.document_view_page.view is 'The view.';
comment on column spoor.document_view_page.first_at is 'When it was first told.';
comment on column spoor.document_view_page.last_at is 'When it last grew.';
comment on column spoor.document_view_page.page is 'The page, from 1.';
comment on column spoor.document_view_page.ms is 'How long so far, in milliseconds.';
comment on column spoor.document_view_page.told is 'Whether the feed has it.';

create table spoor.document_event (
    record bigint not null,
    document bigint not null,
    view uuid,
    spool smallint not null,
    page smallint,
    primary key (spool, record)
);
create index document_event_view on spoor.document_event (view) where view is not null;
comment on table spoor.document_event is 'What only events of documents have; see spoor.event.';
comment on column spoor.document_event.record is 'Record of the event. The pages that one record tells of have the numbers behind it.';
comment on column spoor.document_event.document is 'Which document was shown.';
comment on column spoor.document_event.view is 'In which view; null: not known.';
comment on column spoor.document_event.spool is 'Spool of the event.';
comment on column spoor.document_event.page is 'Which page was read.';

create function spoor.document_view_class(view spoor.document_view) returns text
    language sql immutable strict parallel safe
    as $$ select case
        when view.verdict = 's' then 'self'
        when view.automated or view.verdict = 'b' or view.crowd and view.confirmed_at is null then 'automatic'
        when view.confirmed_at is not null and not view.crowd then 'confirmed'
        else 'viewed' end $$;
comment on function spoor.document_view_class(spoor.document_view) is 'What a view was: confirmed (a person), viewed (by a browser, possibly an automatic one), automatic, or self.';

create function spoor.same_visit(one spoor.document_view) returns setof spoor.document_view
    language sql stable parallel safe rows 1
    as $$
    select o from spoor.document_view o cross join spoor.document_setting s
    where o.message = ($1).message and o.number = ($1).number and o.recipient = ($1).recipient and o.view <> ($1).view
          and (o.recipient <> 0 or o.address = ($1).address)
          and o.last_at >= ($1).started_at - s.visit_gap and o.started_at <= ($1).last_at + s.visit_gap $$;
comment on function spoor.same_visit(spoor.document_view) is 'Other views of the same link that belong to the same visit, for they are no further apart than spoor.document_setting.visit_gap.';

create function spoor.is_confirmed(view spoor.document_view) returns boolean
    language sql stable strict
    as $$ select view.trusted > 0 and not view.automated and view.verdict <> 'b'
        and (view.visible_ms * interval '1 ms' >= s.confirm_after
             or (select count(*) >= 2 from spoor.document_view_page p
                 where p.view = view.view and p.ms * interval '1 ms' >= s.read_after))
        from spoor.document_setting s $$;
comment on function spoor.is_confirmed(spoor.document_view) is 'Whether a view is a person''s by now.';

create function spoor.take_pages(view spoor.document_view, at_time timestamptz, pages integer[], times integer[]) returns void
    language sql
    as $$
    insert into spoor.document_view_page as p (view, first_at, last_at, page, ms)
        select ($1).view, $2, $2, t.page, max(t.ms)
        from unnest($3, $4) t (page, ms)
        where t.ms > 0 and t.page between 1 and coalesce((select d.pages from spoor.document d where d.id = ($1).document), 0)
        group by t.page
        on conflict (view, page) do update
            set last_at = case when excluded.ms > p.ms then greatest(p.last_at, excluded.last_at) else p.last_at end,
                ms = greatest(p.ms, excluded.ms) $$;
comment on function spoor.take_pages(spoor.document_view, timestamptz, integer[], integer[]) is 'Keeps the largest time that was told of each page: they may come twice and out of order. For spoor.take_beacons().';

create function spoor.pages_to_tell(view spoor.document_view, pages integer[], current integer) returns table (page integer, place integer)
    language sql
    as $$
    with left_now as (
        update spoor.document_view_page p set told = true
        from spoor.document_setting s
        where p.view = ($1).view and not p.told and p.page <> $3 and p.page = any ($2)
              and p.ms * interval '1 ms' >= s.read_after
        returning p.page)
    select l.page, array_position($2, l.page) from left_now l
    where not exists (select from spoor.same_visit($1) o
                      join spoor.document_view_page q on q.view = o.view and q.page = l.page and q.told)
    order by l.page $$;
comment on function spoor.pages_to_tell(spoor.document_view, integer[], integer) is 'The pages that were read and left, and are not in the feed for this visit yet; with their places in the list. For spoor.take_beacons().';

create function spoor.take_beacons(spools smallint[], records bigint[], times bigint[], messages bigint[], numbers smallint[],
                                   recipients integer[], verdicts text[], addresses inet[], views uuid[], documents bigint[],
                                   starts bigint[], visible integer[], trusted integer[], automated boolean[],
                                   currents integer[], pages text[], milliseconds text[])
    returns table (record bigint, place integer)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    one record;
    seen spoor.document_view;
    is_new boolean;
    is_news boolean;
    told record;
begin
    -- in the order of the views, so that two loaders do not wait for each other
    for one in
        select b.*, spoor.from_microseconds(b.at) as at_time, b.page_list::integer[] as pages, b.time_list::integer[] as ms
        from unnest(spools, records, times, messages, numbers, recipients, verdicts, addresses, views, documents, starts,
                    visible, trusted, automated, currents, take_beacons.pages, milliseconds)
            b (spool, record, at, message, number, recipient, verdict, address, view, document, start, visible, trusted,
               automated, current, page_list, time_list)
        order by b.view, b.record
    loop
        insert into spoor.document_view as v (view, started_at, last_at, message, document, recipient, visible_ms, trusted,
                                              number, verdict, automated, address)
            values (one.view, least(spoor.from_microseconds(one.start), one.at_time), one.at_time, one.message, one.document,
                    one.recipient, one.visible, one.trusted, one.number, one.verdict::"char", one.automated, one.address)
            on conflict on constraint document_view_pkey do update
                set last_at = greatest(v.last_at, excluded.last_at), visible_ms = greatest(v.visible_ms, excluded.visible_ms),
                    trusted = greatest(v.trusted, excluded.trusted), automated = v.automated or excluded.automated
            returning v.xmax = 0 into is_new;
        select v.* into seen from spoor.document_view v where v.view = one.view;
        perform spoor.take_pages(seen, one.at_time, one.pages, one.ms);
        is_news := is_new and not exists (select from spoor.same_visit(seen));
        if is_news then
            insert into spoor.document_event (spool, record, view, document) values (one.spool, one.record, one.view, one.document);
            record := one.record;
            place := 0;
            return next;
        end if;
        for told in select * from spoor.pages_to_tell(seen, one.pages, one.current) loop
            is_news := true;
            record := one.record;
            place := told.place;
            insert into spoor.document_event (spool, record, view, document, page)
                values (one.spool, one.record + told.place, one.view, one.document, told.page);
            return next;
        end loop;
        if is_news or (seen.confirmed_at is null and spoor.is_confirmed(seen)) then
            update spoor.document_view v set unsettled = true,
                    confirmed_at = coalesce(v.confirmed_at, case when spoor.is_confirmed(seen) then one.at_time end)
                where v.view = one.view;
        end if;
    end loop;
end $$;
comment on function spoor.take_beacons(smallint[], bigint[], bigint[], bigint[], smallint[], integer[], text[], inet[], uuid[], bigint[], bigint[], integer[], integer[], boolean[], integer[], text[], text[]) is 'What the scripts of viewers told, by a loader. Gives which of it is news for the feed: a document was opened (place 0), or the page that stands at this place of its list was read.';

create function spoor.take_document_events(spools smallint[], records bigint[], views uuid[], documents bigint[], pages smallint[])
    returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.document_event (spool, record, view, document, page)
        select * from unnest($1, $2, $3, $4, $5) e (spool, record, view, document, page);
    update spoor.document_view v set unsettled = true
        where v.view in (select f.view from spoor.document_view f where f.view = any ($3) order by f.view for update) $$;
comment on function spoor.take_document_events(smallint[], bigint[], uuid[], bigint[], smallint[]) is 'Downloads, and pages that were asked for without a script, by a loader.';

-- Words for people

create function spoor.duration_words(ms bigint) returns text
    language sql immutable strict parallel safe
    as $$ select case
        when ms < 1000 then '< 1 s'
        when ms < 60000 then ms / 1000 || ' s'
        when ms < 3600000 then ms / 60000 || ' min' || case when ms < 600000 and ms / 1000 % 60 > 0 then ' ' || ms / 1000 % 60 || ' s' else '' end
        else ms / 3600000 || ' h' || case when ms / 60000 % 60 > 0 then ' ' || ms / 60000 % 60 || ' min' else '' end end $$;
comment on function spoor.duration_words(bigint) is 'So many milliseconds in words: 8 s, 2 min 5 s, 1 h 3 min.';

create function spoor.document_detail(message bigint, number smallint, spool smallint, record bigint) returns text
    language sql stable parallel safe
    as $$
    select case when d.page is null then a.file_name
        else 'page ' || d.page || ' of ' || a.file_name || coalesce(', ' || spoor.duration_words(p.ms), '') end
    from spoor.attachment a
    left join spoor.document_event d on d.spool = $3 and d.record = $4
    left join spoor.document_view_page p on p.view = d.view and p.page = d.page
    where a.message = $1 and a.number = $2 $$;
comment on function spoor.document_detail(bigint, smallint, smallint, bigint) is 'What the feed says of an event of a document: its name, and which page was read for how long so far.';

-- Hindsight: what was opened by a person, and what by many links at once

create function spoor.find_document_crowds(views uuid[]) returns void
    language sql
    set search_path = pg_catalog, pg_temp
    as $$
    with crowds as (
        select v.address, v.started_at from spoor.document_view v cross join spoor.document_setting s
        where v.view = any ($1) and v.address is not null
              -- behind a proxy that is not trusted all the world has one private address
              and not v.address <<= any (array['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16',
                  '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10']::inet[])
              and (select count(distinct (o.message, o.recipient)) from spoor.document_view o
                   where o.address = v.address and o.started_at between v.started_at - s.crowd_within and v.started_at + s.crowd_within)
                  >= s.crowd_links)
    update spoor.document_view v set crowd = true, unsettled = true
        from crowds c cross join spoor.document_setting s
        where v.address = c.address and not v.crowd
              and v.started_at between c.started_at - s.crowd_within and c.started_at + s.crowd_within $$;
comment on function spoor.find_document_crowds(uuid[]) is 'Marks the views that were opened together with those of several other recipients from one address. For spoor.judge_documents().';

create function spoor.judge_documents(most integer) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    fresh uuid[];
begin
    fresh := array(select v.view from spoor.document_view v where v.unsettled order by v.view limit most for update skip locked);
    if cardinality(fresh) = 0 then
        return;
    end if;
    perform spoor.find_document_crowds(fresh);
    -- what spoor.judge_own() knows of an event it knows of the view
    update spoor.document_view v set verdict = 's'
        where v.view = any (fresh) and v.verdict <> 's'
              and exists (select from spoor.document_event d
                          join spoor.judged_event e on e.message = v.message and e.spool = d.spool and e.record = d.record
                          where d.view = v.view and e.verdict = 's');
    insert into spoor.event_verdict (spool, record, verdict, reason)
        select e.spool, e.record, w.verdict, spoor.reason_number(w.reason)
        from spoor.document_view v
        cross join lateral spoor.document_view_class(v) c (class)
        cross join lateral (values ('confirmed', 'h'::"char", 'confirmed'), ('self', 's', 'own_view'), ('automatic', 'b', case when v.crowd then 'crowd' else 'automated' end),
                                   ('viewed', 'u', case when v.crowd then 'crowd' end)) w (class, verdict, reason)
        -- one view tells of its whole visit: who waited for the pages to be made has moved nothing there
        join spoor.document_event d on d.view = v.view
             or c.class = 'confirmed' and d.view = any (array(select o.view from spoor.same_visit(v) o
                                                              where spoor.document_view_class(o) = 'viewed'))
        join spoor.judged_event e on e.message = v.message and e.spool = d.spool and e.record = d.record
        where v.view = any (fresh) and w.class = c.class and w.reason is not null and e.kind in ('O', 'R', 'D')
              and e.verdict <> 's' and e.verdict <> w.verdict;
    update spoor.document_view v set unsettled = false where v.view = any (fresh);
end $$;
comment on function spoor.judge_documents(integer) is 'Judges again what was opened, read and downloaded, by what is known of its view now. For spoor.judge_hindsight().';

-- What people read of it

create view spoor.document_page_report as
select v.message,
       v.number,
       v.recipient as key,
       v.document,
       p.page,
       sum(p.ms) as ms,
       spoor.duration_words(sum(p.ms)::bigint) as read_for,
       count(*) as views,
       min(p.first_at) as first_at,
       max(p.last_at) as last_at
from spoor.document_view v
cross join spoor.document_setting s
join spoor.document_view_page p on p.view = v.view and p.ms * interval '1 ms' >= s.read_after
where spoor.document_view_class(v) in ('confirmed', 'viewed')
group by v.message, v.number, v.recipient, v.document, p.page
order by v.message desc, v.number, v.recipient, v.document, p.page;
comment on view spoor.document_page_report is 'How long each page of a document was read, by whom, in all visits together; pages that were only passed are left out.';
comment on column spoor.document_page_report.message is 'The mail, as in spoor.message.';
comment on column spoor.document_page_report.number is 'Which attachment of it.';
comment on column spoor.document_page_report.key is 'Key of the recipient, as in spoor.recipient; 0: one of the recipients.';
comment on column spoor.document_page_report.document is 'Which document was shown; more than one when it was replaced.';
comment on column spoor.document_page_report.page is 'The page, from 1.';
comment on column spoor.document_page_report.ms is 'How long it was in sight, in milliseconds.';
comment on column spoor.document_page_report.read_for is 'The same in words.';
comment on column spoor.document_page_report.views is 'In how many views.';
comment on column spoor.document_page_report.first_at is 'When it was first read.';
comment on column spoor.document_page_report.last_at is 'When it was last read.';

create view spoor.document_report as
select a.message,
       a.number,
       m.sent_at,
       m.sender,
       m.owner,
       m.subject,
       a.file_name,
       spoor.recipient_name(a.message, k.key) as person,
       coalesce(w.views, 0) > 0 as opened,
       case when w.confirmed then 'confirmed' when w.views > 0 then 'viewed' when f.fetched then 'fetched' end as class,
       w.first_opened_at,
       coalesce(w.visits, 0) as visits,
       d.pages,
       coalesce(g.pages_read, 0) as pages_read,
       case when d.pages > 0 then round(100.0 * coalesce(g.current_read, 0) / d.pages) end as completion,
       spoor.duration_words(g.ms) as read_for,
       g.page_times,
       coalesce(f.downloads, 0) as downloads,
       nullif(greatest(w.last_at, f.last_at), '-infinity') as last_seen,
       a.document,
       k.key
from spoor.attachment a
join spoor.document d on d.id = a.document
left join spoor.message m on m.id = a.message
cross join lateral (
    select r.key from spoor.recipient r where r.message = a.message
    union select 0 where not exists (select from spoor.recipient r where r.message = a.message)
    union select v.recipient from spoor.document_view v where v.message = a.message and v.number = a.number
    union select e.recipient from spoor.event e where e.message = a.message and e.link = a.number and e.kind in ('R', 'D')) k (key)
cross join lateral (
    select count(*) as views, bool_or(spoor.document_view_class(v) = 'confirmed') as confirmed,
           min(v.started_at) as first_opened_at, max(v.last_at) as last_at,
           count(*) filter (where not exists (
               select from spoor.same_visit(v) o
               where spoor.document_view_class(o) in ('confirmed', 'viewed') and (o.started_at, o.view) < (v.started_at, v.view)))
               as visits
    from spoor.document_view v
    where v.message = a.message and v.number = a.number and v.recipient = k.key
          and spoor.document_view_class(v) in ('confirmed', 'viewed')) w
cross join lateral (
    select count(distinct p.page) as pages_read, count(*) filter (where p.document = a.document) as current_read,
           sum(p.ms)::bigint as ms,
           string_agg(p.page || ': ' || p.read_for, ', ' order by p.document = a.document desc, p.document, p.page) as page_times
    from spoor.document_page_report p where p.message = a.message and p.number = a.number and p.key = k.key) g
cross join lateral (
    select count(*) filter (where e.kind = 'D') as downloads, bool_or(e.kind in ('F', 'R')) as fetched,
           max(e.at_time) filter (where e.kind <> 'F') as last_at
    from spoor.judged_event e
    where e.message = a.message and e.link = a.number and e.recipient = k.key and e.kind in ('F', 'R', 'D')
          and e.verdict in ('h', 'p', 'u')) f
order by a.message desc, a.number, person;
comment on view spoor.document_report is 'One row a document of a mail and recipient: who opened it, which pages were read for how long. It says who had the link: whoever it was forwarded to looks like the recipient. Reading and printing what was downloaded cannot be seen.';
comment on column spoor.document_report.message is 'The mail, as in spoor.message; a small number is an entry of the library whose link was used as it is.';
comment on column spoor.document_report.number is 'Which attachment of it.';
comment on column spoor.document_report.sent_at is 'When the mail was sent.';
comment on column spoor.document_report.sender is 'Address in From.';
comment on column spoor.document_report.owner is 'Whose mail it is.';
comment on column spoor.document_report.subject is 'Subject of the mail.';
comment on column spoor.document_report.file_name is 'Name of the file.';
comment on column spoor.document_report.person is 'The recipient, or one of how many.';
comment on column spoor.document_report.opened is 'Whether it was opened in a browser, for a second at least.';
comment on column spoor.document_report.class is 'confirmed: by a person; viewed: possibly by a program; fetched: the page was only asked for; null: nothing was.';
comment on column spoor.document_report.first_opened_at is 'When it was first opened.';
comment on column spoor.document_report.visits is 'How often, where what is no further apart than ten minutes is one visit.';
comment on column spoor.document_report.pages is 'How many pages it has.';
comment on column spoor.document_report.pages_read is 'How many of them were in sight for a second at least.';
comment on column spoor.document_report.completion is 'The same in percent of the document that stands there now.';
comment on column spoor.document_report.read_for is 'How long, all pages together.';
comment on column spoor.document_report.page_times is 'How long each page; spoor.document_page_report has it as rows.';
comment on column spoor.document_report.downloads is 'How often the file was downloaded.';
comment on column spoor.document_report.last_seen is 'When it was last read or downloaded.';
comment on column spoor.document_report.document is 'Which document stands there now.';
comment on column spoor.document_report.key is 'Key of the recipient, as in spoor.recipient; 0: one of the recipients.';

create view spoor.top_documents as
select a.document,
       min(a.file_name) as file_name,
       m.owner,
       count(distinct a.message) as mails,
       count(distinct r.person) filter (where r.opened) as opened_by,
       sum(r.visits) as visits,
       round(avg(r.completion) filter (where r.opened)) as completion,
       spoor.duration_words(sum(g.ms)::bigint) as read_for,
       sum(r.downloads) as downloads,
       max(r.last_seen) as last_seen
from spoor.attachment a
left join spoor.message m on m.id = a.message
join spoor.document_report r on r.message = a.message and r.number = a.number
cross join lateral (
    select sum(p.ms) as ms from spoor.document_page_report p
    where p.message = r.message and p.number = r.number and p.key = r.key) g
group by a.document, m.owner
order by opened_by desc, visits desc, last_seen desc nulls last;
comment on view spoor.top_documents is 'Which documents are read most, per owner.';
comment on column spoor.top_documents.document is 'The document.';
comment on column spoor.top_documents.file_name is 'A name of the file.';
comment on column spoor.top_documents.owner is 'Whose mails it was in; null: the link came straight out of the library.';
comment on column spoor.top_documents.mails is 'In how many mails it was.';
comment on column spoor.top_documents.opened_by is 'How many persons opened it.';
comment on column spoor.top_documents.visits is 'How often it was opened.';
comment on column spoor.top_documents.completion is 'How many percent of its pages those read on average.';
comment on column spoor.top_documents.read_for is 'How long it was read, all together.';
comment on column spoor.top_documents.downloads is 'How often it was downloaded.';
comment on column spoor.top_documents.last_seen is 'When it was last read or downloaded.';

grant execute on function spoor.take_beacons(smallint[], bigint[], bigint[], bigint[], smallint[], integer[], text[], inet[], uuid[], bigint[], bigint[], integer[], integer[], boolean[], integer[], text[], text[]),
    spoor.take_document_events(smallint[], bigint[], uuid[], bigint[], smallint[]) to spoor_pixeld;
grant update on spoor.document_setting to spoor_admin;
