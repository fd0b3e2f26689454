-- SPDX-License-Identifier: BSD-2-Clause
-- The feed: what a person reads of what happened, newest first, as views and page by page.

create view spoor.feed_item as
select e.spool,
       e.record,
       coalesce(m.owner, f.owner) as owner,
       e.at_time,
       spoor.event_kind_name(e.kind) as what,
       coalesce(m.sender, f.sender) as sender,
       coalesce(f.address, d.recipient, spoor.answer_person(a), spoor.recipient_name(e.message, e.recipient)) as person,
       coalesce(m.subject, f.subject) as subject,
       coalesce(l.destination, a.from_address, f.campaign, d.text,
                case when e.kind in ('O', 'R', 'D') then spoor.document_detail(e.message, e.link, e.spool, e.record) end) as detail,
       case when spoor.is_judged(e.kind) then spoor.verdict_name(e.verdict) end as verdict,
       coalesce(r.name, a.rung::text, f.reason, d.state::text) as reason,
       coalesce(a.status, d.status) as status,
       case when a.hard then 'hard' when not a.hard then 'soft' end as hardness,
       spoor.answer_effect(a) as effect,
       e.message,
       spoor.answerer_name(e.message, a.from_address, a.answerer) as answerer,
       spoor.shares_domain(e.message, a.from_address) as same_domain,
       not spoor.is_judged(e.kind) or e.at_time < now() - (select t.verdict_settle from spoor.verdict_setting t) as settled,
       spoor.is_counted(e.kind, e.verdict) as counted,
       e.kind,
       e.recipient,
       coalesce(m.campaign, f.campaign) as campaign,
       e.address,
       e.agent
from spoor.judged_event e
left join spoor.message m on m.id = e.message
left join spoor.link l on l.message = e.message and l.number = e.link and e.kind = 'c'
left join spoor.answer a on a.message = e.message and a.spool = e.spool and a.record = e.record
left join spoor.campaign_refusal f on e.kind = 'f' and f.spool = e.spool and f.record = e.record
left join spoor.delivery d on e.kind = 'U' and d.message = e.message and d.spool = e.spool and d.record = e.record
left join spoor.reason r on r.id = e.reason;
comment on view spoor.feed_item is 'Every event in the words of the feed, in no order, with what names it; for spoor.feed and spoor.feed_page().';
comment on column spoor.feed_item.spool is 'Spool it came from, as in spoor.event.';
comment on column spoor.feed_item.record is 'Position in the spool.';
comment on column spoor.feed_item.owner is 'In whose feed it is.';
comment on column spoor.feed_item.at_time is 'As in spoor.feed.';
comment on column spoor.feed_item.what is 'As in spoor.feed.';
comment on column spoor.feed_item.sender is 'As in spoor.feed.';
comment on column spoor.feed_item.person is 'As in spoor.feed.';
comment on column spoor.feed_item.subject is 'As in spoor.feed.';
comment on column spoor.feed_item.detail is 'As in spoor.feed.';
comment on column spoor.feed_item.verdict is 'As in spoor.feed.';
comment on column spoor.feed_item.reason is 'As in spoor.feed.';
comment on column spoor.feed_item.status is 'As in spoor.feed.';
comment on column spoor.feed_item.hardness is 'As in spoor.feed.';
comment on column spoor.feed_item.effect is 'As in spoor.feed.';
comment on column spoor.feed_item.message is 'As in spoor.feed.';
comment on column spoor.feed_item.answerer is 'As in spoor.feed.';
comment on column spoor.feed_item.same_domain is 'As in spoor.feed.';
comment on column spoor.feed_item.settled is 'As in spoor.feed.';
comment on column spoor.feed_item.counted is 'Whether spoor.feed has it: not what machines or the sender did.';
comment on column spoor.feed_item.kind is 'As in spoor.event.';
comment on column spoor.feed_item.recipient is 'As in spoor.event.';
comment on column spoor.feed_item.campaign is 'Campaign of the mail.';
comment on column spoor.feed_item.address is 'As in spoor.event.';
comment on column spoor.feed_item.agent is 'As in spoor.event.';

create view spoor.feed as
select at_time, what, sender, person, subject, detail, verdict, reason, status, hardness, effect, message, answerer, same_domain,
       settled
from spoor.feed_item where counted order by at_time desc;
comment on view spoor.feed is 'What became of the mails, newest first; without what machines or the sender did. Try: table spoor.feed limit 20 \watch 2';
comment on column spoor.feed.at_time is 'When it happened.';
comment on column spoor.feed.what is 'view, click; opened, read or downloaded, of a document; unsubscribe, the class of an answer, refused: campaign mail that did not go to somebody, or undelivered: mail that a server refused and no bounce mail told of.';
comment on column spoor.feed.sender is 'Who had sent the mail.';
comment on column spoor.feed.person is 'Who did it: the recipient, or the one who answered, or one of how many; whom a bounce, complaint, refusal or failed delivery is about.';
comment on column spoor.feed.subject is 'Subject of the mail.';
comment on column spoor.feed.detail is 'Where the link leads, which page of which document was read for how long, from which address the answer came, which campaign refused, or the words in which a server did.';
comment on column spoor.feed.verdict is 'human, proxy (a person or a prefetching proxy) or unknown; none for answers.';
comment on column spoor.feed.reason is 'Why this verdict, where the answer names the mail, what had ended the campaign, or whether the mail was bounced or expired.';
comment on column spoor.feed.status is 'Status code of a bounce or failed delivery.';
comment on column spoor.feed.hardness is 'hard: the bounce is for good; soft: it may get through another time.';
comment on column spoor.feed.effect is 'Whether a bounce or complaint may end campaigns for that person, yes or why not; see spoor.answer_effect().';
comment on column spoor.feed.message is 'The mail, as in spoor.message; 0 for one that nobody got.';
comment on column spoor.feed.answerer is 'Of an answer: recipient, also one in Cc, or other; null when that is not known.';
comment on column spoor.feed.same_domain is 'Of an answer: whether it came from the domain of a recipient.';
comment on column spoor.feed.settled is 'Whether the verdict is not expected to change any more.';

create view spoor.event_report as
select e.at_time,
       spoor.event_kind_name(e.kind) as what,
       e.message,
       coalesce(f.address, d.recipient, spoor.answer_person(a), spoor.recipient_name(e.message, e.recipient)) as person,
       case when not spoor.is_decoy(e.kind, e.link) then nullif(e.link::integer & 65535, 0) end as link,
       coalesce(l.destination, case when e.kind in ('F', 'O', 'R', 'D') then spoor.document_detail(e.message, e.link, e.spool, e.record) end) as destination,
       spoor.verdict_name(e.verdict) as verdict,
       r.name as reason,
       case when (e.verdict, e.reason) is distinct from (e.first_verdict, e.first_reason)
           then spoor.verdict_name(e.first_verdict) end as first_verdict,
       e.address,
       g.name as agent,
       c.claimed_at,
       p.host,
       p.program,
       e.spool,
       e.record
from spoor.judged_event e
left join spoor.link l on l.message = e.message and l.number = e.link and e.kind = 'c'
left join spoor.answer a on a.message = e.message and a.spool = e.spool and a.record = e.record
left join spoor.campaign_refusal f on e.kind = 'f' and f.spool = e.spool and f.record = e.record
left join spoor.delivery d on e.kind = 'U' and d.message = e.message and d.spool = e.spool and d.record = e.record
left join spoor.reason r on r.id = e.reason
left join spoor.agent g on g.id = e.agent
left join spoor.event_clock c on c.spool = e.spool and c.record = e.record
left join spoor.spool_progress p on p.spool = e.spool;
comment on view spoor.event_report is 'Every event, also those of machines, with its codes spelled out.';
comment on column spoor.event_report.at_time is 'When it happened.';
comment on column spoor.event_report.what is 'view, click; fetched, opened, read or downloaded, of a document; unsubscribe, the class of an answer, refused or undelivered.';
comment on column spoor.event_report.message is 'The mail; 0 for one that nobody got.';
comment on column spoor.event_report.person is 'Who did it, or one of how many; whom a report or refusal is about.';
comment on column spoor.event_report.link is 'Which link or attachment, from 1; none for the decoy.';
comment on column spoor.event_report.destination is 'Where the link leads; of a document its name, and which page.';
comment on column spoor.event_report.verdict is 'Who or what did it.';
comment on column spoor.event_report.reason is 'Why this verdict.';
comment on column spoor.event_report.first_verdict is 'The verdict at the request, where it was judged again.';
comment on column spoor.event_report.address is 'Network address of the client.';
comment on column spoor.event_report.agent is 'User-Agent of the client.';
comment on column spoor.event_report.claimed_at is 'The time in the record, where a clock ahead made it worthless.';
comment on column spoor.event_report.host is 'Host that saw it.';
comment on column spoor.event_report.program is 'Program that saw it.';
comment on column spoor.event_report.spool is 'Spool it came from.';
comment on column spoor.event_report.record is 'Position in the spool.';

create view spoor.node_report as
select p.spool,
       n.node,
       p.program,
       p.host,
       greatest(p.updated_at, p.entered_at) as last_seen,
       p.position,
       p.retired_at
from spoor.spool_progress p left join spoor.node n on n.identity = p.identity
order by p.retired_at is not null, p.program, p.host, p.spool;
comment on view spoor.node_report is 'One row a spool, and so a program on a host: when it was last heard of, and whether somebody still waits for it.';
comment on column spoor.node_report.spool is 'Short number of the spool; spoor.retire_spool() takes it.';
comment on column spoor.node_report.node is 'Node number, where the program makes message ids.';
comment on column spoor.node_report.program is 'Program that writes it.';
comment on column spoor.node_report.host is 'Host on which it lies.';
comment on column spoor.node_report.last_seen is 'When records last came from it, or its loader last began a session.';
comment on column spoor.node_report.position is 'How far it is loaded.';
comment on column spoor.node_report.retired_at is 'Since when nobody waits for it any more.';

-- Pages of a feed, newest first. How new an event is, its batch says and not its time: what a host sends after
-- days, or with a wrong clock, must not slip in behind a reader's back. A cursor names the last event that was seen.

create type spoor.feed_place as (batch bigint, record bigint, spool smallint, message bigint, at_time timestamptz);
comment on type spoor.feed_place is 'Where an event stands in the feed, and what it is found by.';

create type spoor.feed_filter as (owners text[], search text, campaign text, kinds "char"[], machines boolean);
comment on type spoor.feed_filter is 'What is shown: the mail of these owners (null: of all), with these words in its subject or to this address, of this campaign, events of these letters, and also what machines did; nulls leave nothing out.';

create function spoor.feed_matches(message bigint, subject text, search text) returns boolean
    language sql stable parallel safe
    as $$ select $3 is null or position(lower($3) in lower($2)) > 0
        or exists (select from spoor.recipient r where r.message = $1 and r.address = lower($3)) $$;
comment on function spoor.feed_matches(bigint, text, text) is 'Whether a mail has these words in its subject or went to this address; all do when nothing is searched for.';

create function spoor.is_shown(kind "char", verdict "char", link smallint, kinds "char"[], machines boolean) returns boolean
    language sql immutable parallel safe
    as $$ select ($4 is null or $1 = any ($4))
        and (spoor.is_counted($1, $2)
             or $5 and $2 in ('f', 'b') and spoor.is_counted($1, 'h') and not spoor.is_decoy($1, $3)) $$;
comment on function spoor.is_shown("char", "char", smallint, "char"[], boolean) is 'Whether an event is shown: one that counts, or what a machine did where that is wanted, of one of these letters.';

create function spoor.batch_of(spool smallint, record bigint) returns setof bigint
    language sql stable rows 1
    as $$
    select c.number from spoor.batch c
    where c.spool = $1 and c.last_record >= $2 and c.first_record <= $2
    order by c.last_record, c.first_record desc, c.number desc limit 1 $$;
comment on function spoor.batch_of(smallint, bigint) is 'Number of the batch that an event came with: the smallest that holds it, for a hit that was handed in later has one of its own within an older one.';

create function spoor.feed_by_mail(mails bigint[], filter spoor.feed_filter, before spoor.feed_place, count integer)
    returns setof spoor.feed_place
    language sql stable rows 20
    as $$
    select b.number, e.record, e.spool, e.message, e.at_time
    from spoor.judged_event e cross join lateral spoor.batch_of(e.spool, e.record) b (number)
    where e.message = any ($1) and spoor.is_shown(e.kind, e.verdict, e.link, ($2).kinds, ($2).machines)
          and (b.number, e.record) < (($3).batch, ($3).record)
    order by b.number desc, e.record desc limit $4 $$;
comment on function spoor.feed_by_mail(bigint[], spoor.feed_filter, spoor.feed_place, integer) is 'The newest events of some mails: the way for who has sent few.';

-- Who was refused a mail that nobody got: no number of a mail leads to that.
create function spoor.feed_of_refusals(filter spoor.feed_filter, before spoor.feed_place, count integer)
    returns setof spoor.feed_place
    language sql stable rows 20
    as $$
    select b.number, f.record, f.spool, 0::bigint, f.at_time
    from spoor.campaign_refusal f
    cross join lateral spoor.batch_of(f.spool, f.record) b (number)
    where (($1).owners is null or f.owner = any (($1).owners)) and f.message is null
          and (b.number, f.record) < (($2).batch, ($2).record)
          and (($1).kinds is null or 'f' = any (($1).kinds)) and (($1).campaign is null or f.campaign = ($1).campaign)
          and (($1).search is null or position(lower(($1).search) in lower(f.subject)) > 0 or f.address = lower(($1).search))
    order by b.number desc, f.record desc limit $3 $$;
comment on function spoor.feed_of_refusals(spoor.feed_filter, spoor.feed_place, integer) is 'The newest refusals of mails that nobody got.';

create function spoor.record_runs(since bigint, upto bigint) returns table (spool smallint, first bigint, last bigint, loaded_at timestamptz)
    language sql stable
    as $$
    select c.spool, min(c.first_record), max(c.last_record), min(c.loaded_at)
    from (select b.*, count(*) filter (where b.new) over (partition by b.spool order by b.number) as run
          from (select n.*, coalesce(n.first_record - lag(n.last_record) over (partition by n.spool order by n.number)
                                     not between 0 and 1048576, true) as new
                from spoor.batch n where n.number between $1 and $2 and n.spool <> 0) b) c
    group by c.spool, c.run $$;
comment on function spoor.record_runs(bigint, bigint) is 'Where in their spools the events of these batches lie, neighbours as one, for each look into spoor.event has its price; with the time since when they were loaded.';

create function spoor.places_in_batches(first_batch bigint, last_batch bigint, filter spoor.feed_filter)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0
    as $$
declare
    run record;
begin
    for run in select * from spoor.record_runs(first_batch, last_batch) loop
        return query
            select b.number, e.record, e.spool, e.message, e.at_time
            from (select o.record, o.spool, o.message, o.at_time from spoor.judged_event o
                  -- each mail by itself: never all mails of an owner, for that takes the longer the more there are
                  cross join lateral (select w.owner, w.subject, w.campaign, null as address from spoor.message w where w.id = o.message
                                      union all
                                      select f.owner, f.subject, f.campaign, f.address from spoor.campaign_refusal f
                                      where o.message = 0 and f.record = o.record and f.spool = o.spool offset 0) m
                  where o.spool = run.spool and o.record between run.first and run.last
                        and spoor.is_shown(o.kind, o.verdict, o.link, filter.kinds, filter.machines)
                        and (filter.owners is null or m.owner = any (filter.owners))
                        and (filter.campaign is null or m.campaign = filter.campaign)
                        and (m.address = lower(filter.search) or spoor.feed_matches(o.message, m.subject, filter.search)) offset 0) e
            cross join lateral spoor.batch_of(e.spool, e.record) b (number)
            where b.number between first_batch and last_batch;
    end loop;
end $$;
comment on function spoor.places_in_batches(bigint, bigint, spoor.feed_filter) is 'The events of these batches that are shown, in no order.';

create function spoor.feed_by_batch(filter spoor.feed_filter, before spoor.feed_place, count integer, steps integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    as $$
declare
    first_batch bigint;
    last_batch bigint := before.batch;
    found_now integer;
    left_over integer := count;
begin
    for step in 1 .. steps loop
        -- as many batches as make about 10,000 records: while little is going on they hold one or two
        select min(w.number), max(w.number) into first_batch, last_batch
            from (select b.number, sum(b.records) over (order by b.number desc) - b.records as newer
                  from (select c.number, c.records from spoor.batch c where c.number <= last_batch and c.spool <> 0
                        order by c.number desc limit 2000) b) w
            where w.newer < 10000;
        exit when first_batch is null;
        return query
            select p.* from spoor.places_in_batches(first_batch, last_batch, filter) p
            where (p.batch, p.record) < (before.batch, before.record)
            order by p.batch desc, p.record desc limit left_over;
        get diagnostics found_now = row_count;
        left_over := left_over - found_now;
        exit when left_over <= 0;
        last_batch := first_batch - 1;
    end loop;
end $$;
comment on function spoor.feed_by_batch(spoor.feed_filter, spoor.feed_place, integer, integer) is 'The newest events in so many steps of about 10,000 records: the way for who has sent much.';

create function spoor.feed_places(filter spoor.feed_filter, before_batch bigint, before_record bigint, count integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0
    as $$
declare
    before spoor.feed_place;
    place spoor.feed_place[];
    mails bigint[];
    few integer;
    near constant integer := 20; -- steps of 10,000 records
begin
    -- A batch of 10,000 takes as long as 250 mails, and holds the more of an owner's events the more of all mails are his.
    -- So that many mails are looked at one by one; beyond 1,000 nobody waits for that.
    few := (select least(1000, greatest(250, sqrt(greatest(c.reltuples, 0) * count / 32)))
            from pg_catalog.pg_class c where c.oid = 'spoor.message'::regclass);
    before.batch := coalesce(before_batch, 9223372036854775807);
    before.record := coalesce(before_record, 9223372036854775807);
    mails := case when filter.owners is null then array(select m.id from spoor.message m limit few + 1)
                  else array(select m.id from spoor.message m where m.owner = any (filter.owners) limit few + 1) end;
    if cardinality(mails) > few then
        place := array(select p from spoor.feed_by_batch(filter, before, count, near) p);
    end if;
    if cardinality(mails) <= few or cardinality(place) < count then
        if filter.owners is null then
            mails := array(select m.id from spoor.message m
                           where (filter.campaign is null or m.campaign = filter.campaign)
                                 and spoor.feed_matches(m.id, m.subject, filter.search));
        else
            mails := array(select m.id from spoor.message m
                           where m.owner = any (filter.owners) and (filter.campaign is null or m.campaign = filter.campaign)
                                 and spoor.feed_matches(m.id, m.subject, filter.search));
        end if;
        place := array(select p from (select * from spoor.feed_by_mail(mails, filter, before, count)
                                      union all select * from spoor.feed_of_refusals(filter, before, count)) p
                       order by p.batch desc, p.record desc limit count);
    end if;
    return query select p.* from unnest(place) p;
end $$;
comment on function spoor.feed_places(spoor.feed_filter, bigint, bigint, integer) is 'A page of what the filter shows, newest first, as places: what came before this batch and record, or the newest.';

create function spoor.feed_page(owner text, before_batch bigint default null, before_record bigint default null,
                                count integer default 20, search text default null)
    returns table (batch bigint, record bigint, at_time timestamptz, what text, person text, subject text, detail text,
                   verdict text, reason text, message bigint)
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0
    as $$
declare
    place spoor.feed_place[];
    filter spoor.feed_filter := row(array[owner], search, null, null, false);
begin
    place := array(select p from spoor.feed_places(filter, before_batch, before_record, count) p);
    return query
        select p.batch, p.record, f.at_time, f.what, f.person, f.subject, f.detail, f.verdict, f.reason, f.message
        from unnest(place) p
        -- each by itself: the view joins more tables than the planner turns about, and would be read as a whole
        cross join lateral (select * from spoor.feed_item i where i.message = p.message and i.at_time = p.at_time
                                                                  and i.spool = p.spool and i.record = p.record offset 0) f
        where p.message <> 0
        union all
        -- by time: the number 0 stands for too many
        select p.batch, p.record, f.at_time, f.what, f.person, f.subject, f.detail, f.verdict, f.reason, f.message
        from unnest(place) p
        cross join lateral (select * from spoor.feed_item i where i.at_time = p.at_time and i.spool = p.spool
                                                                  and i.record = p.record offset 0) f
        where p.message = 0
        order by 1 desc, 2 desc;
end $$;
comment on function spoor.feed_page(text, bigint, bigint, integer, text) is 'A page of an owner''s feed, newest first: what came before the batch and record that the page before ended with, or the newest. With search only mails that have these words in their subject, or went to this address.';

-- The page at /feed: functions that take the secret of a session and give what its sender may see.

create type spoor.feed_entry as (
    batch bigint, record bigint, spool smallint, at_time text, what text, owner text, person text, subject text, detail text,
    verdict text, reason text, message bigint, campaign text, status text, hardness text, address text, agent text,
    recipient integer, forwarded boolean, settles_in integer);
comment on type spoor.feed_entry is 'An event as the page shows it; the time is ISO 8601 in UTC, settles_in the seconds until the verdict is not expected to change.';

create function spoor.is_forwarded(message bigint, recipient integer) returns boolean
    language sql stable
    as $$ select $2 <> 0 and count(distinct (v.agent, spoor.place_of(v.address))) >= 3 and count(distinct spoor.place_of(v.address)) >= 3
        from (select e.agent, e.address, e.verdict, e.recipient from spoor.judged_event e where e.message = $1 limit 5000) v
        where v.recipient = $2 and v.verdict = 'h' and v.address is not null $$;
comment on function spoor.is_forwarded(bigint, integer) is 'Whether what was sent to one recipient was seen by persons in three networks or more: then it was probably forwarded.';

create function spoor.feed_entries(places spoor.feed_place[]) returns setof spoor.feed_entry
    language sql stable rows 20
    set max_parallel_workers_per_gather = 0
    as $$
    select p.batch, p.record, p.spool, to_char(f.at_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), f.what, f.owner, f.person,
           f.subject, f.detail, f.verdict, f.reason, f.message, f.campaign, f.status, f.hardness, host(f.address), g.name,
           f.recipient, spoor.is_judged(f.kind) and f.counted and spoor.is_forwarded(f.message, f.recipient),
           case when f.settled then 0
                else greatest(0, ceil(extract(epoch from f.at_time - now() + s.verdict_settle)))::integer end
    from unnest($1) p
    -- by time alone: the number 0 of a mail stands for too many
    cross join lateral (select * from spoor.feed_item i where i.at_time = p.at_time and i.spool = p.spool
                                                              and i.record = p.record offset 0) f
    cross join spoor.verdict_setting s
    left join spoor.agent g on g.id = f.agent
    order by 1 desc, 2 desc $$;
comment on function spoor.feed_entries(spoor.feed_place[]) is 'What stands at these places, newest first.';

create function spoor.kinds_of(what text) returns "char"[]
    language sql immutable parallel safe
    as $$ select case $1 when 'views' then '{v}' when 'links' then '{c}' when 'documents' then '{O,R,D}' when 'replies' then '{r,a,m}' end::"char"[] $$;
comment on function spoor.kinds_of(text) is 'The letters of events behind a choice on the page; null: all.';

create function spoor.my_feed(secret text, what text, search text, campaign text, machines boolean, before_batch bigint,
                              before_record bigint, count integer) returns setof spoor.feed_entry
    language plpgsql stable security definer rows 20
    set search_path = pg_catalog, pg_temp
    as $$
declare
    account spoor.sender := spoor.account(secret);
    filter spoor.feed_filter;
    place spoor.feed_place[];
begin
    if account is null then
        return;
    end if;
    filter := row(spoor.owners_of(account), nullif(search, ''), nullif(campaign, ''), spoor.kinds_of(what), machines);
    place := array(select p from spoor.feed_places(filter, before_batch, before_record, least(count, 10000)) p);
    return query select e.* from spoor.feed_entries(place) e;
end $$;
comment on function spoor.my_feed(text, text, text, text, boolean, bigint, bigint, integer) is 'A page of the feed of who is signed in with this secret.';

create function spoor.last_batch() returns bigint
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select coalesce(max(b.number), 0) from spoor.batch b $$;
comment on function spoor.last_batch() is 'Number of the newest batch.';

create function spoor.news_floor(most integer) returns bigint
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select coalesce(max(w.number), 0)
          from (select b.number, sum(b.records) over (order by b.number desc) as records
                from (select c.number, c.records from spoor.batch c where c.spool <> 0 order by c.number desc limit 5000) b) w
          where w.records > $1 $$;
comment on function spoor.news_floor(integer) is 'The newest batch behind which there are no more than so many records, of the newest 5,000: who has seen less has missed too much to be told one by one.';

create function spoor.live_sessions(secrets text[]) returns table (number integer, owners text[])
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select s.number::integer, spoor.owners_of(w)
    from unnest($1) with ordinality s (secret, number)
    cross join lateral spoor.account(s.secret) w
    where w.address is not null $$;
comment on function spoor.live_sessions(text[]) is 'Which of these secrets, counted from 1, are sessions, and whose mail each may see; null: everybody''s.';

create function spoor.my_news(secrets text[], after_batch bigint, upto bigint) returns setof spoor.feed_entry
    language plpgsql stable security definer rows 20
    set search_path = pg_catalog, pg_temp
    as $$
declare
    filter spoor.feed_filter;
    place spoor.feed_place[];
    fresh spoor.event[];
    all_seen boolean;
begin
    select coalesce(bool_or(s.owners is null), false) into all_seen from spoor.live_sessions(secrets) s;
    filter.owners := case when not all_seen then array(
        select distinct o from spoor.live_sessions(secrets) s cross join lateral unnest(s.owners) o) end;
    filter.machines := true;
    if not all_seen and cardinality(filter.owners) = 0 then
        return;
    end if;
    place := array(select p from spoor.places_in_batches(after_batch + 1, upto, filter) p);
    fresh := array(select e::spoor.event from unnest(place) p
                   join spoor.event e on e.message = p.message and e.at_time = p.at_time and e.spool = p.spool and e.record = p.record);
    return query
        select n.* from (
            select e.* from spoor.feed_entries(place) e
            -- hindsight comes by a moment later
            where not exists (select from spoor.own_views(fresh) w where w.spool = e.spool and w.record = e.record and w.verdict = 's')
            union all
            select c.* from spoor.feed_corrections(after_batch, upto, filter.owners) c) n
        order by n.batch, n.record;
end $$;
comment on function spoor.my_news(text[], bigint, bigint) is 'What came with the batches behind this one, for the feeds of these sessions, oldest first; an event that is judged again comes again, in the batch of its judgement.';

create function spoor.feed_corrections(after_batch bigint, upto bigint, owners text[]) returns setof spoor.feed_entry
    language plpgsql stable rows 20
    as $$
declare
    run record;
begin
    for run in select b.number, c.spool, min(c.number) as low, max(c.number) as high, min(c.record) as first, max(c.record) as last
               from spoor.batch b join spoor.event_verdict c on c.number between b.first_record and b.last_record
               where b.number > after_batch and b.number <= upto and b.spool = 0 group by b.number, c.spool loop
        return query
            select run.number, e.record, e.spool, null::text, null::text, m.owner, null::text, null::text, null::text,
                   spoor.verdict_name(c.verdict), r.name, e.message, null::text, null::text, null::text, null::text, null::text,
                   e.recipient, null::boolean, 0
            from spoor.event e
            join spoor.event_verdict c on c.spool = e.spool and c.record = e.record and c.number between run.low and run.high
            join spoor.message m on m.id = e.message
            left join spoor.reason r on r.id = c.reason
            -- what is older has left the top of every page
            where e.spool = run.spool and e.record between run.first and run.last and e.at_time > now() - interval '1 hour'
                  and (owners is null or m.owner = any (owners));
    end loop;
end $$;
comment on function spoor.feed_corrections(bigint, bigint, text[]) is 'Later verdicts on events of the last hour that came with these batches: only which event, and what holds now.';

create function spoor.my_campaigns(secret text) returns setof text
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select c.campaign from (
        select m.campaign, m.id from spoor.account($1) w cross join lateral (
            select n.campaign, n.id from spoor.message n
            where w.address is not null and ((w).sees_all or n.owner = any (spoor.owners_of(w)))
            order by n.id desc limit 5000) m
        where m.campaign is not null) c
    group by c.campaign order by max(c.id) desc limit 50 $$;
comment on function spoor.my_campaigns(text) is 'Campaigns among the newest mails of who is signed in with this secret, newest first.';

create function spoor.my_mail_of(secret text, message bigint) returns spoor.message
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select m from spoor.message m cross join lateral spoor.account($1) w
          where m.id = $2 and w.address is not null and (w.sees_all or m.owner = any (spoor.owners_of(w))) $$;
comment on function spoor.my_mail_of(text, bigint) is 'A mail that who is signed in with this secret may see; null: none such.';

create function spoor.my_mail(secret text, message bigint)
    returns table (subject text, sent_at text, sender text, owner text, campaign text, recipients integer, level text, tracked boolean,
                   viewed bigint, clicked bigint, replied bigint, views bigint, clicks bigint, machine_events bigint,
                   delivered bigint, deferred bigint, refused bigint)
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    return query
    select m.subject, to_char(m.sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), m.sender, m.owner, m.campaign, m.sent_to,
           m.level::text, m.pixels > 0, p.viewed, p.clicked, p.replied, p.views, p.clicks, p.machine_events, p.delivered, p.deferred,
           p.refused
    from spoor.my_mail_of(secret, my_mail.message) m
    left join spoor.message_report p on p.message = (select s.last from spoor.sendings(my_mail.message) s)
    where m.id is not null;
end $$;
comment on function spoor.my_mail(text, bigint) is 'A mail and its counts, for who is signed in with this secret.';

create function spoor.my_mail_recipients(secret text, message bigint)
    returns table (address text, views bigint, clicks bigint, replies bigint, first_viewed_at text, last_event_at text,
                   delivery text, delivered_at text, relay text, status text, text text)
    language plpgsql stable security definer rows 20
    set search_path = pg_catalog, pg_temp
    as $$
begin
    return query
    select r.address, r.views, r.clicks, r.replies,
           to_char(r.first_viewed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           to_char(r.last_event_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), r.delivery,
           to_char(d.at_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), d.relay, d.status, d.text
    from spoor.my_mail_of(secret, my_mail_recipients.message) m
    cross join lateral spoor.sendings(m.id) s
    join spoor.recipient_report r on r.message = s.last
    left join lateral (select * from spoor.delivery_report c where c.message = s.last and c.recipient = r.address
                       order by c.at_time desc limit 1) d on true
    where m.id is not null
    order by r.last_event_at desc nulls last, r.address limit 1000;
end $$;
comment on function spoor.my_mail_recipients(text, bigint) is 'To whom a mail went and what each has done, who did something last first; 1,000 at most.';

create function spoor.my_mail_events(secret text, message bigint) returns setof spoor.feed_entry
    language sql stable security definer rows 20
    set search_path = pg_catalog, pg_temp
    as $$
    select e.* from spoor.my_mail_of($1, $2) m
    cross join lateral spoor.sendings(m.id) s
    cross join lateral (
        select array(select row(0, o.record, o.spool, o.message, o.at_time)::spoor.feed_place
                     from spoor.event o where o.message = any (s.messages) and not spoor.is_decoy(o.kind, o.link)
                     order by o.at_time desc limit 500) as places) p
    cross join lateral spoor.feed_entries(p.places) e
    where m.id is not null
    order by e.at_time desc, e.record desc $$;
comment on function spoor.my_mail_events(text, bigint) is 'All that happened to a mail, machines and the sender''s own views included, newest first; the last 500.';

create function spoor.my_chart(secret text, message bigint)
    returns table (day text, views bigint, clicks bigint)
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with mails as (
        select array(select n.id from spoor.account($1) w cross join lateral (
                         select k.id from spoor.message k
                         where w.address is not null and (w.sees_all or k.owner = any (spoor.owners_of(w)))
                               and ($2 is null or k.id = $2)
                         order by k.id desc limit 500) n) as ids)
    select to_char(d.day, 'YYYY-MM-DD'), count(*) filter (where e.kind = 'v'), count(*) filter (where e.kind = 'c')
    from mails m
    cross join generate_series(date_trunc('day', now() at time zone 'UTC') - interval '13 days',
                               date_trunc('day', now() at time zone 'UTC'), '1 day') d (day)
    left join lateral (
        select c.kind, c.at_time from spoor.judged_event c
        where c.message = any (m.ids) and c.kind in ('v', 'c') and spoor.is_counted(c.kind, c.verdict)
              and c.at_time > now() - interval '15 days') e
        on date_trunc('day', e.at_time at time zone 'UTC') = d.day
    group by d.day order by d.day $$;
comment on function spoor.my_chart(text, bigint) is 'Views and clicks a day, UTC, of the last 14 days: of a mail, or of the newest 500 mails of who is signed in with this secret.';

revoke all on all functions in schema spoor from public;
grant execute on function spoor.my_feed(text, text, text, text, boolean, bigint, bigint, integer), spoor.last_batch(),
    spoor.news_floor(integer), spoor.live_sessions(text[]), spoor.my_news(text[], bigint, bigint), spoor.my_campaigns(text), spoor.my_mail(text, bigint),
    spoor.my_mail_recipients(text, bigint), spoor.my_mail_events(text, bigint), spoor.my_chart(text, bigint) to spoor_feed;
