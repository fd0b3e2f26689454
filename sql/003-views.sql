-- SPDX-License-Identifier: BSD-2-Clause
-- Views: what a person reads.

create view spoor.judged_event as
select e.at_time,
       e.message,
       e.record,
       e.recipient,
       e.agent,
       e.spool,
       e.link,
       e.kind,
       coalesce(v.verdict, e.verdict) as verdict,
       coalesce(v.reason, e.reason) as reason,
       e.address,
       e.verdict as first_verdict,
       e.reason as first_reason
from spoor.event e
left join lateral (
    select c.verdict, c.reason from spoor.event_verdict c
    where e.kind in ('v', 'c') and c.spool = e.spool and c.record = e.record
    order by c.number desc limit 1) v on true;
comment on view spoor.judged_event is 'spoor.event with the verdict that holds now.';
comment on column spoor.judged_event.at_time is 'As in spoor.event.';
comment on column spoor.judged_event.message is 'As in spoor.event.';
comment on column spoor.judged_event.record is 'As in spoor.event.';
comment on column spoor.judged_event.recipient is 'As in spoor.event.';
comment on column spoor.judged_event.agent is 'As in spoor.event.';
comment on column spoor.judged_event.spool is 'As in spoor.event.';
comment on column spoor.judged_event.link is 'As in spoor.event.';
comment on column spoor.judged_event.kind is 'As in spoor.event.';
comment on column spoor.judged_event.verdict is 'The last verdict.';
comment on column spoor.judged_event.reason is 'Its reason.';
comment on column spoor.judged_event.address is 'As in spoor.event.';
comment on column spoor.judged_event.first_verdict is 'The verdict at the request.';
comment on column spoor.judged_event.first_reason is 'Its reason.';

create view spoor.counted_event as
select e.at_time,
       e.message,
       e.recipient,
       e.kind,
       e.link,
       e.kind in ('v', 'c') and e.address is not null
           and coalesce(e.at_time - lag(e.at_time) over same <= s.repeat_window, false) as repeated
from spoor.judged_event e
cross join spoor.verdict_setting s
where spoor.is_counted(e.kind, e.verdict)
window same as (partition by e.message, e.recipient, e.kind, e.link, spoor.place_of(e.address) order by e.at_time);
comment on view spoor.counted_event is 'The events that count, and which of them repeat one from the same network: these are rows, but no further view or click.';
comment on column spoor.counted_event.at_time is 'As in spoor.event.';
comment on column spoor.counted_event.message is 'As in spoor.event.';
comment on column spoor.counted_event.recipient is 'As in spoor.event.';
comment on column spoor.counted_event.kind is 'As in spoor.event.';
comment on column spoor.counted_event.link is 'As in spoor.event.';
comment on column spoor.counted_event.repeated is 'Whether it counts as the one before; see spoor.verdict_setting.repeat_window.';

create view spoor.feed_item as
select e.spool,
       e.record,
       m.owner,
       e.at_time,
       spoor.event_kind_name(e.kind) as what,
       m.sender,
       coalesce(a.from_address, spoor.recipient_name(e.message, e.recipient)) as person,
       m.subject,
       coalesce(l.destination, a.from_address) as detail,
       case when e.kind in ('v', 'c') then spoor.verdict_name(e.verdict) end as verdict,
       coalesce(r.name, a.rung::text) as reason,
       e.message,
       spoor.answerer_name(e.message, a.from_address, a.answerer) as answerer,
       spoor.shares_domain(e.message, a.from_address) as same_domain,
       e.kind not in ('v', 'c') or e.at_time < now() - (select t.verdict_settle from spoor.verdict_setting t) as settled
from spoor.judged_event e
left join spoor.message m on m.id = e.message
left join spoor.link l on l.message = e.message and l.number = e.link and e.kind = 'c'
left join spoor.answer a on a.message = e.message and a.spool = e.spool and a.record = e.record
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
comment on column spoor.feed_item.message is 'As in spoor.feed.';
comment on column spoor.feed_item.answerer is 'As in spoor.feed.';
comment on column spoor.feed_item.same_domain is 'As in spoor.feed.';
comment on column spoor.feed_item.settled is 'As in spoor.feed.';

create view spoor.feed as
select at_time, what, sender, person, subject, detail, verdict, reason, message, answerer, same_domain, settled
from spoor.feed_item order by at_time desc;
comment on view spoor.feed is 'What became of the mails, newest first; without what machines or the sender did. Try: table spoor.feed limit 20 \watch 2';
comment on column spoor.feed.at_time is 'When it happened.';
comment on column spoor.feed.what is 'view, click, unsubscribe, or the class of an answer.';
comment on column spoor.feed.sender is 'Who had sent the mail.';
comment on column spoor.feed.person is 'Who did it: the recipient, or the one who answered, or one of how many.';
comment on column spoor.feed.subject is 'Subject of the mail.';
comment on column spoor.feed.detail is 'Where the link leads, or from which address the answer came.';
comment on column spoor.feed.verdict is 'human, proxy (a person or a prefetching proxy) or unknown; none for answers.';
comment on column spoor.feed.reason is 'Why this verdict, or where the answer names the mail.';
comment on column spoor.feed.message is 'The mail, as in spoor.message.';
comment on column spoor.feed.answerer is 'Of an answer: recipient, also one in Cc, or other; null when that is not known.';
comment on column spoor.feed.same_domain is 'Of an answer: whether it came from the domain of a recipient.';
comment on column spoor.feed.settled is 'Whether the verdict is not expected to change any more.';

create view spoor.event_report as
select e.at_time,
       spoor.event_kind_name(e.kind) as what,
       e.message,
       coalesce(a.from_address, spoor.recipient_name(e.message, e.recipient)) as person,
       case when not spoor.is_decoy(e.kind, e.link) then nullif(e.link::integer & 65535, 0) end as link,
       l.destination,
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
left join spoor.link l on l.message = e.message and l.number = e.link
left join spoor.answer a on a.message = e.message and a.spool = e.spool and a.record = e.record
left join spoor.reason r on r.id = e.reason
left join spoor.agent g on g.id = e.agent
left join spoor.event_clock c on c.spool = e.spool and c.record = e.record
left join spoor.spool_progress p on p.spool = e.spool;
comment on view spoor.event_report is 'Every event, also those of machines, with its codes spelled out.';
comment on column spoor.event_report.at_time is 'When it happened.';
comment on column spoor.event_report.what is 'view, click, unsubscribe, or the class of an answer.';
comment on column spoor.event_report.message is 'The mail.';
comment on column spoor.event_report.person is 'Who did it, or one of how many.';
comment on column spoor.event_report.link is 'Which link, from 1; none for the decoy.';
comment on column spoor.event_report.destination is 'Where the link leads.';
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

create view spoor.message_report as
select m.id as message,
       m.sent_at,
       m.sender,
       m.owner,
       m.subject,
       m.sent_to as recipients,
       e.viewed,
       e.clicked,
       a.replied,
       e.first_viewed_at,
       e.last_event_at,
       e.views,
       e.clicks,
       a.replies,
       a.auto_replies,
       b.machine_events
from spoor.message m
cross join lateral (
    select count(distinct v.recipient) filter (where v.kind = 'v') as viewed,
           count(distinct v.recipient) filter (where v.kind = 'c') as clicked,
           min(v.at_time) filter (where v.kind = 'v') as first_viewed_at,
           max(v.at_time) as last_event_at,
           count(*) filter (where v.kind = 'v' and not v.repeated) as views,
           count(*) filter (where v.kind = 'c' and not v.repeated) as clicks
    from spoor.counted_event v where v.message = m.id) e
cross join lateral (
    select count(*) as machine_events
    from spoor.judged_event v where v.message = m.id and v.kind in ('v', 'c') and v.verdict in ('f', 'b')) b
cross join lateral (
    select count(distinct w.from_address) filter (where w.class = 'reply') as replied,
           count(*) filter (where w.class = 'reply') as replies,
           count(*) filter (where w.class = 'auto_reply') as auto_replies
    from spoor.answer w where w.message = m.id) a
order by m.sent_at desc;
comment on view spoor.message_report is 'One row a tracked mail, newest first: who of its recipients viewed, clicked, replied.';
comment on column spoor.message_report.message is 'The mail, as in spoor.message.';
comment on column spoor.message_report.sent_at is 'When it was sent.';
comment on column spoor.message_report.sender is 'Address in From.';
comment on column spoor.message_report.owner is 'Whose mail it is.';
comment on column spoor.message_report.subject is 'Subject.';
comment on column spoor.message_report.recipients is 'To how many addresses it went.';
comment on column spoor.message_report.viewed is 'Persons who viewed it; those who cannot be told apart count as one.';
comment on column spoor.message_report.clicked is 'Persons who followed a link; those who cannot be told apart count as one.';
comment on column spoor.message_report.replied is 'Addresses that replied.';
comment on column spoor.message_report.first_viewed_at is 'First view.';
comment on column spoor.message_report.last_event_at is 'Last event that counts, answers included.';
comment on column spoor.message_report.views is 'All views, without those of machines and the sender and without repeats.';
comment on column spoor.message_report.clicks is 'All clicks, without those of machines and the sender and without repeats.';
comment on column spoor.message_report.replies is 'Replies by persons.';
comment on column spoor.message_report.auto_replies is 'Out-of-office notes and other automatic replies.';
comment on column spoor.message_report.machine_events is 'Views and clicks by robots and prefetchers, which do not count.';

create view spoor.recipient_report as
select m.id as message,
       m.sent_at,
       m.sender,
       r.address,
       m.subject,
       e.views > 0 as viewed,
       e.clicks > 0 as clicked,
       a.replies > 0 as replied,
       e.first_viewed_at,
       greatest(e.last_event_at, a.last_answer_at) as last_event_at,
       e.views,
       e.clicks,
       a.replies
from spoor.recipient r
join spoor.message m on m.id = r.message
cross join lateral (
    select min(v.at_time) filter (where v.kind = 'v') as first_viewed_at,
           max(v.at_time) as last_event_at,
           count(*) filter (where v.kind = 'v' and not v.repeated) as views,
           count(*) filter (where v.kind = 'c' and not v.repeated) as clicks
    from spoor.counted_event v
    where v.message = r.message and v.recipient = r.key and r.key <> 0 and v.kind in ('v', 'c')) e
cross join lateral (
    select max(w.at_time) as last_answer_at, count(*) filter (where w.class = 'reply') as replies
    from spoor.answer w where w.message = r.message and w.from_address = r.address) a
order by m.sent_at desc, r.address;
comment on view spoor.recipient_report is 'One row a recipient of a tracked mail, newest first. What was done by one of several counts for none of them here.';
comment on column spoor.recipient_report.message is 'The mail, as in spoor.message.';
comment on column spoor.recipient_report.sent_at is 'When it was sent.';
comment on column spoor.recipient_report.sender is 'Address in From.';
comment on column spoor.recipient_report.address is 'The recipient.';
comment on column spoor.recipient_report.subject is 'Subject.';
comment on column spoor.recipient_report.viewed is 'Whether this person viewed it.';
comment on column spoor.recipient_report.clicked is 'Whether this person followed a link.';
comment on column spoor.recipient_report.replied is 'Whether a reply came from this address.';
comment on column spoor.recipient_report.first_viewed_at is 'First view.';
comment on column spoor.recipient_report.last_event_at is 'Last event or answer.';
comment on column spoor.recipient_report.views is 'All views, without repeats.';
comment on column spoor.recipient_report.clicks is 'All clicks, without repeats.';
comment on column spoor.recipient_report.replies is 'All replies from this address.';

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

create function spoor.feed_by_mail(mails bigint[], before spoor.feed_place, count integer) returns setof spoor.feed_place
    language sql stable rows 20
    as $$
    select b.number, e.record, e.spool, e.message, e.at_time
    from spoor.judged_event e
    cross join lateral (select c.number from spoor.batch c where c.spool = e.spool and c.last_record >= e.record
                        order by c.last_record limit 1) b
    where e.message = any ($1) and spoor.is_counted(e.kind, e.verdict)
          and (b.number, e.record) < (($2).batch, ($2).record)
    order by b.number desc, e.record desc limit $3 $$;
comment on function spoor.feed_by_mail(bigint[], spoor.feed_place, integer) is 'The newest events of some mails: the way for who has sent few.';

create function spoor.feed_by_batch(owner text, search text, before spoor.feed_place, count integer, batches integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0
    as $$
declare
    b record;
    found_now integer;
    left_over integer := count;
begin
    for b in select c.number, c.spool, c.first_record, c.last_record from spoor.batch c
             where c.number <= before.batch order by c.number desc limit batches loop
        return query
            select b.number, e.record, e.spool, e.message, e.at_time
            from spoor.judged_event e
            -- each mail by itself: never all mails of an owner, for that takes the longer the more there are
            cross join lateral (select w.owner, w.subject from spoor.message w where w.id = e.message offset 0) m
            where e.spool = b.spool and e.record between b.first_record and b.last_record
                  and (b.number, e.record) < (before.batch, before.record)
                  and spoor.is_counted(e.kind, e.verdict) and m.owner = feed_by_batch.owner
                  and spoor.feed_matches(e.message, m.subject, search)
            order by e.record desc limit left_over;
        get diagnostics found_now = row_count;
        left_over := left_over - found_now;
        exit when left_over <= 0;
    end loop;
end $$;
comment on function spoor.feed_by_batch(text, text, spoor.feed_place, integer, integer) is 'The newest events in so many batches: the way for who has sent much.';

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
    near constant integer := 20; -- batches
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
        place := array(select p from spoor.feed_by_mail(mails, before, count) p);
    end if;
    return query
        select p.batch, p.record, f.at_time, f.what, f.person, f.subject, f.detail, f.verdict, f.reason, f.message
        from unnest(place) p
        join spoor.feed_item f on f.message = p.message and f.at_time = p.at_time and f.spool = p.spool
                                  and f.record = p.record
        order by p.batch desc, p.record desc;
end $$;
comment on function spoor.feed_page(text, bigint, bigint, integer, text) is 'A page of an owner''s feed, newest first: what came before the batch and record that the page before ended with, or the newest. With search only mails that have these words in their subject, or went to this address.';
