-- SPDX-License-Identifier: BSD-2-Clause
-- Reports: how far each mail has come and what became of it, recipient by recipient and link by link.

-- A mail program that was put off after spoor-stamp had seen the mail, by a milter behind it or at the end of the connection,
-- hands the mail in again under its own Message-ID. The first row then has no deliveries, and nobody ever views it.
create function spoor.sendings(message bigint, out messages bigint[], out last bigint)
    language sql stable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
    select array_agg(id), max(id) from (
        select $1 as id
        union all
        select n.id from spoor.message m
        join spoor.message n on lower(n.client_message_id collate "C") = lower(m.client_message_id collate "C")
                                and n.owner = m.owner and n.sent_to = m.sent_to and n.level = m.level and n.id <> m.id
                                and n.sent_at between m.sent_at - interval '5 days' and m.sent_at + interval '5 days'
        where m.id = $1 and m.level = 'individual'
              and not exists (select from spoor.recipient r where r.message = least(m.id, n.id)
                              and not exists (select from spoor.recipient o where o.message = greatest(m.id, n.id)
                                                                                  and o.address = r.address))) same $$;
comment on function spoor.sendings(bigint) is 'The rows of one mail, and the last of them: same owner, same Message-ID of the mail program, same recipients, within five days.';

create view spoor.delivery_item as
select r.message,
       m.sent_at,
       m.owner,
       m.subject,
       r.address as recipient,
       d.address as delivered_to,
       coalesce(d.state::text, 'accepted') as state,
       coalesce(d.at_time, m.sent_at) as at_time,
       case when d.state in ('deferred', 'expired') then d.deferred_since end as deferred_since,
       d.attempts,
       d.relay,
       d.status,
       d.text,
       d.tls
from spoor.recipient r
join spoor.message m on m.id = r.message
cross join lateral spoor.sendings(m.id) s
left join lateral (
    select distinct on (c.address) c.*
    from spoor.recipient_delivery c where c.message = any (s.messages) and c.recipient = r.address
    order by c.address, c.state = 'delivered' desc, c.at_time desc) d on true
where s.last <= m.id; -- never less; an equality would look to the planner as if one mail passed it, and be tried on all
comment on view spoor.delivery_item is 'The rows of spoor.delivery_report, in no order.';
comment on column spoor.delivery_item.message is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.sent_at is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.owner is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.subject is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.recipient is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.delivered_to is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.state is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.at_time is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.deferred_since is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.attempts is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.relay is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.status is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.text is 'As in spoor.delivery_report.';
comment on column spoor.delivery_item.tls is 'As in spoor.delivery_report.';

create view spoor.delivery_report as
table spoor.delivery_item order by sent_at desc, recipient;
comment on view spoor.delivery_report is 'One row a recipient, newest mail first: accepted here, delivered to which server, deferred since when, refused in which words.';
comment on column spoor.delivery_report.message is 'The mail.';
comment on column spoor.delivery_report.sent_at is 'When it was accepted here.';
comment on column spoor.delivery_report.owner is 'Whose mail it is.';
comment on column spoor.delivery_report.subject is 'Subject.';
comment on column spoor.delivery_report.recipient is 'To whom it was sent.';
comment on column spoor.delivery_report.delivered_to is 'To whom it went on, when an alias changed that.';
comment on column spoor.delivery_report.state is 'accepted (nothing is known since), delivered, deferred, bounced or expired.';
comment on column spoor.delivery_report.at_time is 'Since when.';
comment on column spoor.delivery_report.deferred_since is 'First attempt that was put off.';
comment on column spoor.delivery_report.attempts is 'How many attempts there were.';
comment on column spoor.delivery_report.relay is 'The next server.';
comment on column spoor.delivery_report.status is 'Its status code.';
comment on column spoor.delivery_report.text is 'Its words.';
comment on column spoor.delivery_report.tls is 'Whether it is known to have gone by TLS.';

create view spoor.stuck as
select d.message, d.sent_at, d.owner, d.subject, d.recipient, d.state, d.deferred_since, d.text
from spoor.delivery_item d, spoor.retention r
where d.state in ('accepted', 'deferred') and d.sent_at < now() - r.stuck_after and d.sent_at > now() - interval '40 days'
order by d.sent_at;
comment on view spoor.stuck is 'Mail that was accepted here and neither delivered nor refused after spoor.retention.stuck_after. Without spoor-delivery all mail looks so.';
comment on column spoor.stuck.message is 'The mail.';
comment on column spoor.stuck.sent_at is 'When it was accepted here.';
comment on column spoor.stuck.owner is 'Whose mail it is.';
comment on column spoor.stuck.subject is 'Subject.';
comment on column spoor.stuck.recipient is 'Who has not got it.';
comment on column spoor.stuck.state is 'accepted: nothing is known since; deferred: it is tried again.';
comment on column spoor.stuck.deferred_since is 'First attempt that was put off.';
comment on column spoor.stuck.text is 'Why.';

create view spoor.message_report as
select m.id as message,
       m.sent_at,
       m.sender,
       m.owner,
       m.subject,
       m.sent_to as recipients,
       (select count(*) from (select unnest(e.seen) union select unnest(a.seen)) p) as viewed,
       e.clicked,
       e.opened,
       e.downloaded,
       a.replied,
       e.first_viewed_at,
       e.last_event_at,
       e.views,
       e.clicks,
       a.replies,
       a.auto_replies,
       b.machine_events,
       d.delivered,
       d.deferred,
       d.refused
from spoor.message m
cross join lateral spoor.sendings(m.id) s
cross join lateral (
    select array_agg(distinct v.recipient) filter (where v.kind in ('v', 'c') or (v.kind = 'O' and v.verdict = 'h')) as seen,
           count(distinct v.recipient) filter (where v.kind = 'c') as clicked,
           count(distinct v.recipient) filter (where v.kind = 'O') as opened,
           count(distinct v.recipient) filter (where v.kind = 'D') as downloaded,
           min(v.at_time) filter (where v.kind = 'v' or (v.kind = 'O' and v.verdict = 'h')) as first_viewed_at,
           max(v.at_time) as last_event_at,
           count(*) filter (where v.kind = 'v' and not v.repeated) as views,
           count(*) filter (where v.kind = 'c' and not v.repeated) as clicks
    from spoor.counted_event v where v.message = any (s.messages)) e
cross join lateral (
    select count(*) as machine_events
    from spoor.judged_event v where v.message = any (s.messages) and spoor.is_judged(v.kind) and v.verdict in ('f', 'b')) b
cross join lateral (
    select count(distinct w.from_address) filter (where w.class = 'reply') as replied,
           count(*) filter (where w.class = 'reply') as replies,
           count(*) filter (where w.class = 'auto_reply') as auto_replies,
           array_agg(distinct coalesce(r.key, w.recipient)) filter (
               where w.class = 'reply' and (r.key is not null or w.recipient <> 0)) as seen
    from spoor.answer w left join spoor.recipient r on r.message = w.message and r.address = w.from_address
    where w.message = any (s.messages)) a
cross join lateral (
    select count(distinct c.recipient) filter (where c.state = 'delivered') as delivered,
           count(distinct c.recipient) filter (where c.state = 'deferred') as deferred,
           count(distinct c.recipient) filter (where c.state in ('bounced', 'expired')) as refused
    from spoor.delivery_report c where c.message = m.id) d
where s.last <= m.id -- never less; an equality would look to the planner as if one mail passed it, and be tried on all
order by m.sent_at desc;
comment on view spoor.message_report is 'One row a tracked mail, newest first: who of its recipients has got it, viewed, clicked, replied. A mail that was sent again is one, see spoor.sendings().';
comment on column spoor.message_report.message is 'The mail, as in spoor.message.';
comment on column spoor.message_report.sent_at is 'When it was sent.';
comment on column spoor.message_report.sender is 'Address in From.';
comment on column spoor.message_report.owner is 'Whose mail it is.';
comment on column spoor.message_report.subject is 'Subject.';
comment on column spoor.message_report.recipients is 'To how many addresses it went.';
comment on column spoor.message_report.viewed is 'Persons who viewed it, or a document of it; a click or a reply says so too. Those who cannot be told apart count as one.';
comment on column spoor.message_report.clicked is 'Persons who followed a link; those who cannot be told apart count as one.';
comment on column spoor.message_report.opened is 'Persons who opened a document of it; spoor.document_report has more.';
comment on column spoor.message_report.downloaded is 'Persons who downloaded one.';
comment on column spoor.message_report.replied is 'Addresses that replied.';
comment on column spoor.message_report.first_viewed_at is 'First view that was seen.';
comment on column spoor.message_report.last_event_at is 'Last event that counts, answers included.';
comment on column spoor.message_report.views is 'All views, without those of machines and the sender and without repeats.';
comment on column spoor.message_report.clicks is 'All clicks, without those of machines and the sender and without repeats.';
comment on column spoor.message_report.replies is 'Replies by persons.';
comment on column spoor.message_report.auto_replies is 'Out-of-office notes and other automatic replies.';
comment on column spoor.message_report.machine_events is 'Views, clicks and documents asked for by robots and prefetchers, which do not count.';
comment on column spoor.message_report.delivered is 'Recipients whose server has taken it, as far as spoor-delivery knows.';
comment on column spoor.message_report.deferred is 'Recipients whose server has put it off.';
comment on column spoor.message_report.refused is 'Recipients whose server has refused it, or did not take it in time.';

create view spoor.recipient_report as
select m.id as message,
       m.sent_at,
       m.sender,
       r.address,
       m.subject,
       e.first_viewed_at is not null or e.clicks > 0 or a.replies > 0 as viewed,
       e.clicks > 0 as clicked,
       e.opened,
       a.replies > 0 as replied,
       e.first_viewed_at,
       greatest(e.last_event_at, a.last_answer_at) as last_event_at,
       e.views,
       e.clicks,
       e.opens,
       a.replies,
       d.delivery,
       d.delivered_at,
       d.deferred_since,
       d.relay,
       d.server_words
from spoor.recipient r
join spoor.message m on m.id = r.message
cross join lateral spoor.sendings(m.id) s
cross join lateral (
    select min(v.at_time) filter (where v.kind = 'v' or (v.kind = 'O' and v.verdict = 'h')) as first_viewed_at,
           coalesce(bool_or(v.kind = 'O'), false) as opened,
           max(v.at_time) as last_event_at,
           count(*) filter (where v.kind = 'v' and not v.repeated) as views,
           count(*) filter (where v.kind = 'c' and not v.repeated) as clicks,
           count(*) filter (where v.kind = 'O') as opens
    from spoor.counted_event v
    where v.message = any (s.messages) and v.recipient = r.key and r.key <> 0 and spoor.is_judged(v.kind)) e
cross join lateral (
    select max(w.at_time) as last_answer_at, count(*) filter (where w.class = 'reply') as replies
    from spoor.answer w where w.message = any (s.messages) and w.from_address = r.address) a
cross join lateral (
    select coalesce(max(c.state)::text, 'accepted') as delivery, max(c.at_time) filter (where c.state = 'delivered') as delivered_at,
           min(c.deferred_since) filter (where c.state in ('deferred', 'expired')) as deferred_since,
           (array_agg(c.relay order by c.state desc, c.at_time desc))[1] as relay,
           (array_agg(c.text order by c.state desc, c.at_time desc))[1] as server_words
    from spoor.recipient_delivery c where c.message = any (s.messages) and c.recipient = r.address) d
where s.last <= m.id -- as above
order by m.sent_at desc, r.address;
comment on view spoor.recipient_report is 'One row a recipient of a tracked mail, newest first. What was done by one of several counts for none of them here.';
comment on column spoor.recipient_report.message is 'The mail, as in spoor.message.';
comment on column spoor.recipient_report.sent_at is 'When it was sent.';
comment on column spoor.recipient_report.sender is 'Address in From.';
comment on column spoor.recipient_report.address is 'The recipient.';
comment on column spoor.recipient_report.subject is 'Subject.';
comment on column spoor.recipient_report.viewed is 'Whether this person viewed it, or a document of it; a click or a reply says so too.';
comment on column spoor.recipient_report.clicked is 'Whether this person followed a link.';
comment on column spoor.recipient_report.opened is 'Whether this person opened a document of it.';
comment on column spoor.recipient_report.replied is 'Whether a reply came from this address.';
comment on column spoor.recipient_report.first_viewed_at is 'First view that was seen.';
comment on column spoor.recipient_report.last_event_at is 'Last event or answer.';
comment on column spoor.recipient_report.views is 'All views, without repeats.';
comment on column spoor.recipient_report.clicks is 'All clicks, without repeats.';
comment on column spoor.recipient_report.opens is 'How often this person opened a document of it.';
comment on column spoor.recipient_report.replies is 'All replies from this address.';
comment on column spoor.recipient_report.delivery is 'accepted (nothing is known since), delivered, deferred, bounced or expired; where an alias made several of one, the worst.';
comment on column spoor.recipient_report.delivered_at is 'When the recipient''s server took it.';
comment on column spoor.recipient_report.deferred_since is 'Since when it is put off.';
comment on column spoor.recipient_report.relay is 'The server that this is about.';
comment on column spoor.recipient_report.server_words is 'What that server said.';

-- Of a mail to a thousand the view would look at all its events a thousand times.
create function spoor.mail_people(message bigint)
    returns table (address text, viewed boolean, opened boolean, views bigint, clicks bigint, opens bigint, replies bigint,
                   first_viewed_at timestamptz, last_event_at timestamptz)
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    with s as materialized (select * from spoor.sendings($1)),
    hit as materialized (
        select e.* from s cross join lateral (
            select v.recipient,
                   min(v.at_time) filter (where v.kind = 'v' or (v.kind = 'O' and v.verdict = 'h')) as first_viewed_at,
                   max(v.at_time) as last_event_at,
                   count(*) filter (where v.kind = 'v' and not v.repeated) as views,
                   count(*) filter (where v.kind = 'c' and not v.repeated) as clicks,
                   count(*) filter (where v.kind = 'O') as opens
            from spoor.counted_event v
            where v.message = any (s.messages) and v.recipient <> 0 and spoor.is_judged(v.kind) group by v.recipient) e),
    answer as materialized (
        select w.from_address, max(w.at_time) as last_answer_at, count(*) filter (where w.class = 'reply') as replies
        from s join spoor.answer w on w.message = any (s.messages) group by w.from_address)
    select r.address, h.first_viewed_at is not null or coalesce(h.clicks, 0) > 0 or coalesce(a.replies, 0) > 0,
           coalesce(h.opens, 0) > 0, coalesce(h.views, 0), coalesce(h.clicks, 0), coalesce(h.opens, 0), coalesce(a.replies, 0),
           h.first_viewed_at, greatest(h.last_event_at, a.last_answer_at)
    from s
    join spoor.recipient r on r.message = s.last
    left join hit h on h.recipient = r.key
    left join answer a on a.from_address = r.address $$;
comment on function spoor.mail_people(bigint) is 'What each recipient of a mail has done, as in spoor.recipient_report, for all of them at once.';

create function spoor.sent_back(message bigint)
    returns table (address text, delivery text, at_time timestamptz, status text)
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    with bounced as materialized (
        select distinct on (w.about) w.about, w.at_time, w.status
        from spoor.sendings($1) s
        join spoor.answer w on w.message = any (s.messages) and w.class = 'bounce' and w.hard
        order by w.about, w.at_time desc)
    select p.address, d.delivery, b.at_time, b.status
    from bounced b
    join spoor.mail_people($1) p on p.address = b.about
    cross join spoor.sendings($1) s
    cross join lateral (
        select coalesce(max(c.state)::text, 'accepted') as delivery
        from spoor.recipient_delivery c where c.message = any (s.messages) and c.recipient = p.address) d
    where not p.viewed $$;
comment on function spoor.sent_back(bigint) is 'Recipients of a mail of whom a bounce tells that they did not get it for good, whatever the next server had said, and who have done nothing with it.';

create view spoor.link_report as
select l.message,
       m.sent_at,
       m.owner,
       m.subject,
       l.number::integer & 65535 as link,
       l.destination,
       e.persons,
       e.clicks,
       e.machine_clicks,
       e.first_clicked_at
from spoor.message m
join spoor.link l on l.message = m.id
cross join lateral (
    select count(distinct j.recipient) filter (where spoor.is_counted(j.kind, j.verdict)) as persons,
           count(*) filter (where spoor.is_counted(j.kind, j.verdict)) as clicks,
           count(*) filter (where j.verdict in ('f', 'b')) as machine_clicks,
           min(j.at_time) filter (where spoor.is_counted(j.kind, j.verdict)) as first_clicked_at
    from spoor.judged_event j where j.message = l.message and j.kind = 'c' and j.link = l.number) e
order by m.sent_at desc, l.number;
comment on view spoor.link_report is 'One row a tracked link, newest mail first: how many persons followed it. Ask for one mail or owner.';
comment on column spoor.link_report.message is 'The mail.';
comment on column spoor.link_report.sent_at is 'When it was sent.';
comment on column spoor.link_report.owner is 'Whose mail it is.';
comment on column spoor.link_report.subject is 'Subject.';
comment on column spoor.link_report.link is 'Which link of the mail, from 1.';
comment on column spoor.link_report.destination is 'Where it leads.';
comment on column spoor.link_report.persons is 'Persons who followed it; those who cannot be told apart are one.';
comment on column spoor.link_report.clicks is 'All clicks, repeats too.';
comment on column spoor.link_report.machine_clicks is 'Clicks by robots and prefetchers, which do not count.';
comment on column spoor.link_report.first_clicked_at is 'The first click that counts.';
