-- SPDX-License-Identifier: BSD-2-Clause
-- Reports: what became of each mail, and of each recipient.

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
       b.machine_events,
       d.delivered,
       d.deferred,
       d.refused
from spoor.message m
cross join lateral spoor.sendings(m.id) s
cross join lateral (
    select count(distinct v.recipient) filter (where v.kind = 'v') as viewed,
           count(distinct v.recipient) filter (where v.kind = 'c') as clicked,
           min(v.at_time) filter (where v.kind = 'v') as first_viewed_at,
           max(v.at_time) as last_event_at,
           count(*) filter (where v.kind = 'v' and not v.repeated) as views,
           count(*) filter (where v.kind = 'c' and not v.repeated) as clicks
    from spoor.counted_event v where v.message = any (s.messages)) e
cross join lateral (
    select count(*) as machine_events
    from spoor.judged_event v where v.message = any (s.messages) and v.kind in ('v', 'c') and v.verdict in ('f', 'b')) b
cross join lateral (
    select count(distinct w.from_address) filter (where w.class = 'reply') as replied,
           count(*) filter (where w.class = 'reply') as replies,
           count(*) filter (where w.class = 'auto_reply') as auto_replies
    from spoor.answer w where w.message = any (s.messages)) a
cross join lateral (
    select count(distinct c.recipient) filter (where c.state = 'delivered') as delivered,
           count(distinct c.recipient) filter (where c.state = 'deferred') as deferred,
           count(distinct c.recipient) filter (where c.state in ('bounced', 'expired')) as refused
    from spoor.delivery_report c where c.message = m.id) d
where s.last = m.id
order by m.sent_at desc;
comment on view spoor.message_report is 'One row a tracked mail, newest first: who of its recipients has got it, viewed, clicked, replied. A mail that was sent again is one, see spoor.sendings().';
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
comment on column spoor.message_report.delivered is 'Recipients whose server has taken it, as far as spoor-delivery knows.';
comment on column spoor.message_report.deferred is 'Recipients whose server has put it off.';
comment on column spoor.message_report.refused is 'Recipients whose server has refused it, or did not take it in time.';

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
    select min(v.at_time) filter (where v.kind = 'v') as first_viewed_at,
           max(v.at_time) as last_event_at,
           count(*) filter (where v.kind = 'v' and not v.repeated) as views,
           count(*) filter (where v.kind = 'c' and not v.repeated) as clicks
    from spoor.counted_event v
    where v.message = any (s.messages) and v.recipient = r.key and r.key <> 0 and v.kind in ('v', 'c')) e
cross join lateral (
    select max(w.at_time) as last_answer_at, count(*) filter (where w.class = 'reply') as replies
    from spoor.answer w where w.message = any (s.messages) and w.from_address = r.address) a
cross join lateral (
    select coalesce(max(c.state)::text, 'accepted') as delivery, max(c.at_time) filter (where c.state = 'delivered') as delivered_at,
           min(c.deferred_since) filter (where c.state in ('deferred', 'expired')) as deferred_since,
           (array_agg(c.relay order by c.state desc, c.at_time desc))[1] as relay,
           (array_agg(c.text order by c.state desc, c.at_time desc))[1] as server_words
    from spoor.recipient_delivery c where c.message = any (s.messages) and c.recipient = r.address) d
where s.last = m.id
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
comment on column spoor.recipient_report.delivery is 'accepted (nothing is known since), delivered, deferred, bounced or expired; where an alias made several of one, the worst.';
comment on column spoor.recipient_report.delivered_at is 'When the recipient''s server took it.';
comment on column spoor.recipient_report.deferred_since is 'Since when it is put off.';
comment on column spoor.recipient_report.relay is 'The server that this is about.';
comment on column spoor.recipient_report.server_words is 'What that server said.';
