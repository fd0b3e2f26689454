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
       not spoor.is_judged(e.kind) or e.at_time < now() - (select t.verdict_settle from spoor.verdict_setting t) as settled
from spoor.judged_event e
left join spoor.message m on m.id = e.message
left join spoor.link l on l.message = e.message and l.number = e.link and e.kind = 'c'
left join spoor.answer a on a.message = e.message and a.spool = e.spool and a.record = e.record
left join spoor.campaign_refusal f on e.kind = 'f' and f.spool = e.spool and f.record = e.record
left join spoor.delivery d on e.kind = 'U' and d.message = e.message and d.spool = e.spool and d.record = e.record
left join spoor.reason r on r.id = e.reason
where spoor.is_counted(e.kind, e.verdict);
comment on view spoor.feed_item is 'What the feed shows, in no order, with what names an event; for spoor.feed and spoor.feed_page().';
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

create view spoor.feed as
select at_time, what, sender, person, subject, detail, verdict, reason, status, hardness, effect, message, answerer, same_domain,
       settled
from spoor.feed_item order by at_time desc;
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

-- Pages of one owner's feed, newest first. How new an event is, its batch says and not its time: what a host sends after
-- days, or with a wrong clock, must not slip in behind a reader's back. A cursor names the last event that was seen.

create type spoor.feed_place as (batch bigint, record bigint, spool smallint, message bigint, at_time timestamptz);
comment on type spoor.feed_place is 'Where an event stands in the feed, and what it is found by.';

create function spoor.feed_matches(message bigint, subject text, search text) returns boolean
    language sql stable parallel safe
    as $$ select $3 is null or position(lower($3) in lower($2)) > 0
        or exists (select from spoor.recipient r where r.message = $1 and r.address = lower($3)) $$;
comment on function spoor.feed_matches(bigint, text, text) is 'Whether a mail has these words in its subject or went to this address; all do when nothing is searched for.';

create function spoor.batch_of(spool smallint, record bigint) returns setof bigint
    language sql stable rows 1
    as $$
    select c.number from spoor.batch c
    where c.spool = $1 and c.last_record >= $2 and c.first_record <= $2
    order by c.last_record, c.first_record desc, c.number desc limit 1 $$;
comment on function spoor.batch_of(smallint, bigint) is 'Number of the batch that an event came with: the smallest that holds it, for a hit that was handed in later has one of its own within an older one.';

create function spoor.feed_by_mail(mails bigint[], before spoor.feed_place, count integer) returns setof spoor.feed_place
    language sql stable rows 20
    as $$
    select b.number, e.record, e.spool, e.message, e.at_time
    from spoor.judged_event e cross join lateral spoor.batch_of(e.spool, e.record) b (number)
    where e.message = any ($1) and spoor.is_counted(e.kind, e.verdict)
          and (b.number, e.record) < (($2).batch, ($2).record)
    order by b.number desc, e.record desc limit $3 $$;
comment on function spoor.feed_by_mail(bigint[], spoor.feed_place, integer) is 'The newest events of some mails: the way for who has sent few.';

-- Who was refused a mail that nobody got: no number of a mail leads to that.
create function spoor.feed_of_refusals(owner text, search text, before spoor.feed_place, count integer)
    returns setof spoor.feed_place
    language sql stable rows 20
    as $$
    select b.number, f.record, f.spool, 0::bigint, f.at_time
    from spoor.campaign_refusal f
    cross join lateral spoor.batch_of(f.spool, f.record) b (number)
    where f.owner = $1 and f.message is null and (b.number, f.record) < (($3).batch, ($3).record)
          and ($2 is null or position(lower($2) in lower(f.subject)) > 0 or f.address = lower($2))
    order by b.number desc, f.record desc limit $4 $$;
comment on function spoor.feed_of_refusals(text, text, spoor.feed_place, integer) is 'The newest refusals of mails that nobody got.';

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

create function spoor.feed_by_batch(owner text, search text, before spoor.feed_place, count integer, steps integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0
    as $$
declare
    first_batch bigint;
    last_batch bigint := before.batch;
    run record;
    place spoor.feed_place[];
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
        place := '{}';
        for run in select * from spoor.record_runs(first_batch, last_batch) loop
            place := place || array(
                select row(b.number, e.record, e.spool, e.message, e.at_time)::spoor.feed_place
                from (select o.record, o.spool, o.message, o.at_time from spoor.judged_event o
                      -- each mail by itself: never all mails of an owner, for that takes the longer the more there are
                      cross join lateral (select w.owner, w.subject, null as address from spoor.message w where w.id = o.message
                                          union all
                                          select f.owner, f.subject, f.address from spoor.campaign_refusal f
                                          where o.message = 0 and f.record = o.record and f.spool = o.spool offset 0) m
                      where o.spool = run.spool and o.record between run.first and run.last
                            and spoor.is_counted(o.kind, o.verdict) and m.owner = feed_by_batch.owner
                            and (m.address = lower(search) or spoor.feed_matches(o.message, m.subject, search)) offset 0) e
                cross join lateral spoor.batch_of(e.spool, e.record) b (number)
                where b.number between first_batch and last_batch
                      and (b.number, e.record) < (before.batch, before.record));
        end loop;
        return query select p.* from unnest(place) p order by p.batch desc, p.record desc limit left_over;
        get diagnostics found_now = row_count;
        left_over := left_over - found_now;
        exit when left_over <= 0;
        last_batch := first_batch - 1;
    end loop;
end $$;
comment on function spoor.feed_by_batch(text, text, spoor.feed_place, integer, integer) is 'The newest events in so many steps of about 10,000 records: the way for who has sent much.';

create function spoor.feed_page(owner text, before_batch bigint default null, before_record bigint default null,
                                count integer default 20, search text default null)
    returns table (batch bigint, record bigint, at_time timestamptz, what text, person text, subject text, detail text,
                   verdict text, reason text, message bigint)
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
    mails := array(select m.id from spoor.message m where m.owner = feed_page.owner limit few + 1);
    if cardinality(mails) > few then
        place := array(select p from spoor.feed_by_batch(owner, search, before, count, near) p);
    end if;
    if cardinality(mails) <= few or cardinality(place) < count then
        mails := array(select m.id from spoor.message m where m.owner = feed_page.owner
                       and spoor.feed_matches(m.id, m.subject, search));
        place := array(select p from (select * from spoor.feed_by_mail(mails, before, count)
                                      union all select * from spoor.feed_of_refusals(owner, search, before, count)) p
                       order by p.batch desc, p.record desc limit count);
    end if;
    return query
        select p.batch, p.record, f.at_time, f.what, f.person, f.subject, f.detail, f.verdict, f.reason, f.message
        from unnest(place) p
        join spoor.feed_item f on f.message = p.message and f.at_time = p.at_time and f.spool = p.spool
                                  and f.record = p.record
        where p.message <> 0
        union all
        -- by time: the number 0 stands for too many
        select p.batch, p.record, f.at_time, f.what, f.person, f.subject, f.detail, f.verdict, f.reason, f.message
        from unnest(place) p
        join spoor.feed_item f on f.at_time = p.at_time and f.spool = p.spool and f.record = p.record
        where p.message = 0
        order by 1 desc, 2 desc;
end $$;
comment on function spoor.feed_page(text, bigint, bigint, integer, text) is 'A page of an owner''s feed, newest first: what came before the batch and record that the page before ended with, or the newest. With search only mails that have these words in their subject, or went to this address.';
