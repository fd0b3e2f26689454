-- SPDX-License-Identifier: BSD-2-Clause
-- The reports by sender and by domain against plain definitions of the same, in which each mail and recipient is looked at by itself.
select plan(5);

-- Of everything something: several persons a mail, some not told apart; pictures and links in some; all verdicts, some of them later
-- ones; answers by recipients and others, bounces for good and not; deliveries by alias.
insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender)
select n, now() - n * interval '1 hour', 1000, 'individual', (n % 5 > 0)::integer, 1 + n % 4, 'owner' || n % 7 || '@example.com', 'a@example.com'
from generate_series(1, 600) n;
insert into spoor.recipient (message, address, key)
select n, 'reader' || n * k % 90 || '.' || k || '@' || (n + k) % 11 || '.example.net', case when n % 9 = 0 then 0 else k end
from generate_series(1, 600) n, generate_series(1, 4) k where k <= 1 + n % 4;
insert into spoor.link select n, k, 'https://shop.example/' || k from generate_series(1, 600) n, generate_series(1, 2) k where n % 3 > 0;
select spoor.ensure_partitions(now() - interval '60 days', now());
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select least(now() - n * interval '1 hour' + k * interval '20 min' - (k % 13 = 0)::integer * interval '8 days', now()), n, n * 100 + k,
       case when (n + k) % 10 = 0 then 0 else 1 + (n * k) % 5 end, 0, 1 + k % 2, (k % 3 = 0)::integer,
       (array['v', 'v', 'c', 'O', 'R', 'r', 'D', 'F'])[1 + (hashtext(n || 'kind' || k) & 7)]::"char",
       (array['h', 'p', 'u', 'f', 'b', 's', 'h', 'h'])[1 + (hashtext(n || 'verdict' || k) & 7)]::"char", 0, '192.0.2.1'
from generate_series(1, 600) n, generate_series(1, 20) k where (n + k) % 6 > 0 and n % 17 > 0;
insert into spoor.event_verdict (spool, record, verdict, reason, judged_at)
select e.spool, e.record, (array['h', 'b', 'p', 's'])[1 + (hashtext(e.record || 'later' || k) & 3)]::"char", 0, e.at_time + interval '1 day'
from spoor.event e, generate_series(1, 2) k where e.record % 7 = 0 and (k = 1 or e.record % 2 = 0) order by k, e.record;
insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence, answerer, from_address, about, hard)
select r.message, sha256((r.message || r.address)::bytea), now() - r.message * interval '30 min', 1, 1, case when r.message % 4 = 0 then 0 else r.key end, 0,
       (array['reply', 'bounce', 'complaint', 'auto_reply'])[1 + (hashtext(r.address || r.message) & 3)]::spoor.answer_class, 'references', 'high', 'recipient',
       case when r.message % 5 = 0 then 'other@example.org' else r.address end, r.address, case r.message % 3 when 0 then true when 1 then false end
from spoor.recipient r where r.message % 2 = 0;
insert into spoor.delivery (message, recipient, address, state, at_time, attempts, tls, spool, record)
select r.message, r.address, k || r.address, (array['delivered', 'deferred', 'bounced', 'expired'])[1 + (hashtext(k || r.address) & 3)]::spoor.delivery_state,
       now(), 1, true, 1, 1
from spoor.recipient r, generate_series(1, 2) k where r.message % 8 > 0 and (k = 1 or r.message % 10 = 0);
analyze spoor.message, spoor.recipient, spoor.event;

create function tap.plain_outcomes(since timestamptz, until timestamptz)
    returns table (message bigint, key integer, viewed boolean, clicked boolean, replied boolean, bounced boolean,
                   views bigint, clicks bigint, machine_events bigint, last_event_at timestamptz)
    language sql stable
    as $$
    with mail as (select m.id from spoor.message m where m.sent_at >= $1 and m.sent_at < $2),
    judged as (
        select distinct on (v.spool, v.record) v.spool, v.record, v.verdict
        from spoor.event_verdict v where v.judged_at >= $1 order by v.spool, v.record, v.number desc),
    hit as (
        select e.message, e.recipient, e.kind, e.at_time,
               case when e.kind = 'O' then coalesce(j.verdict, e.verdict) = 'h' -- as in spoor.message_report
                    else spoor.is_counted(e.kind, coalesce(j.verdict, e.verdict)) end as counts,
               e.kind <> 'O' and coalesce(j.verdict, e.verdict) in ('f', 'b') as machine
        from spoor.event e
        join mail on mail.id = e.message
        left join judged j on j.spool = e.spool and j.record = e.record
        where e.at_time >= $1 and e.kind in ('v', 'c', 'O')),
    answer as (
        select a.message, coalesce(r.key, a.recipient) as recipient, a.class, a.hard, a.at_time
        from spoor.answer a
        join mail on mail.id = a.message
        left join spoor.recipient r on r.message = a.message
            and r.address = case when a.class in ('bounce', 'complaint') then a.about else a.from_address end
        where a.class in ('reply', 'bounce'))
    select o.message, o.recipient, bool_or(o.viewed), bool_or(o.clicked), bool_or(o.replied), bool_or(o.bounced),
           sum(o.views)::bigint, sum(o.clicks)::bigint, sum(o.machine)::bigint, max(o.at_time)
    from (
        select h.message, h.recipient,
               bool_or(h.counts) as viewed, bool_or(h.counts and h.kind = 'c') as clicked, false as replied, false as bounced,
               count(*) filter (where h.counts and h.kind = 'v') as views,
               count(*) filter (where h.counts and h.kind = 'c') as clicks,
               count(*) filter (where h.machine) as machine, max(h.at_time) filter (where h.counts) as at_time
        from hit h group by h.message, h.recipient
        union all
        select a.message, a.recipient, bool_or(a.class = 'reply'), false, bool_or(a.class = 'reply'),
               bool_or(a.class = 'bounce' and a.hard is true), 0, 0, 0, max(a.at_time)
        from answer a group by a.message, a.recipient) o
    group by o.message, o.recipient $$;

create function tap.plain_senders(since timestamptz, until timestamptz default now())
    returns table (owner text, mails bigint, recipients bigint, with_picture bigint, viewed bigint, view_rate numeric,
                   with_links bigint, clicked bigint, click_rate numeric, replied bigint, reply_rate numeric,
                   bounced bigint, bounce_rate numeric, persons_viewed bigint, views bigint, clicks bigint,
                   machine_events bigint, last_sent_at timestamptz)
    language sql stable
    as $$
    with outcome as (
        select o.message, bool_or(o.viewed) as viewed, bool_or(o.clicked) as clicked, bool_or(o.replied) as replied,
               count(*) filter (where o.bounced) as bounced, count(*) filter (where o.viewed) as persons,
               sum(o.views) as views, sum(o.clicks) as clicks, sum(o.machine_events) as machine_events
        from tap.plain_outcomes($1, $2) o group by o.message),
    mail as (
        select m.owner, m.sent_to, m.pixels > 0 as pictured, m.sent_at, o.*,
               exists (select from spoor.link l where l.message = m.id) as linked
        from spoor.message m left join outcome o on o.message = m.id
        where m.sent_at >= $1 and m.sent_at < $2)
    select s.owner, s.mails, s.recipients, s.pictured, s.viewed, spoor.percent(s.viewed, s.pictured),
           s.linked, s.clicked, spoor.percent(s.clicked, s.linked), s.replied, spoor.percent(s.replied, s.mails),
           s.bounced, spoor.percent(s.bounced, s.recipients), s.persons, s.views, s.clicks, s.machine_events, s.last_sent_at
    from (select m.owner, count(*) as mails, sum(m.sent_to) as recipients,
                 count(*) filter (where m.pictured) as pictured, count(*) filter (where m.pictured and m.viewed) as viewed,
                 count(*) filter (where m.linked) as linked, count(*) filter (where m.linked and m.clicked) as clicked,
                 count(*) filter (where m.replied) as replied, coalesce(sum(m.bounced), 0)::bigint as bounced,
                 coalesce(sum(m.persons), 0)::bigint as persons, coalesce(sum(m.views), 0)::bigint as views,
                 coalesce(sum(m.clicks), 0)::bigint as clicks, coalesce(sum(m.machine_events), 0)::bigint as machine_events,
                 max(m.sent_at) as last_sent_at
          from mail m group by m.owner) s
    order by s.mails desc, s.owner $$;

create function tap.plain_domains(since timestamptz, until timestamptz default now())
    returns table (domain text, mails bigint, recipients bigint, delivered bigint, delivery_rate numeric, bounced bigint,
                   bounce_rate numeric, told_apart bigint, viewed bigint, view_rate numeric, clicked bigint, replied bigint,
                   machine_events bigint)
    language sql stable
    as $$
    with outcome as (
        select r.message, r.key, r.address, o.viewed, o.clicked, o.replied, o.bounced, o.machine_events, m.pixels > 0 as pictured
        from spoor.message m
        join spoor.recipient r on r.message = m.id
        left join tap.plain_outcomes($1, $2) o on o.message = r.message and o.key = r.key and r.key <> 0
        where m.sent_at >= $1 and m.sent_at < $2),
    sent as (
        select o.*, d.state,
               o.pictured and (o.viewed is not null or not exists (
                   select from spoor.event e where e.message = o.message and e.recipient = 0 and e.at_time >= $1)) as apart
        from outcome o
        left join lateral (
            select max(c.state) as state from spoor.delivery c where c.message = o.message and c.recipient = o.address) d on true)
    select s.domain, s.mails, s.recipients, s.delivered, spoor.percent(s.delivered, s.recipients), s.bounced,
           spoor.percent(s.bounced, s.recipients), s.apart, s.viewed, spoor.percent(s.viewed, s.apart), s.clicked, s.replied,
           s.machine_events
    from (select spoor.domain_of(t.address) as domain, count(distinct t.message) as mails, count(*) as recipients,
                 count(*) filter (where t.state = 'delivered') as delivered,
                 count(*) filter (where t.bounced or t.state in ('bounced', 'expired')) as bounced,
                 count(*) filter (where t.apart) as apart, count(*) filter (where t.apart and t.viewed) as viewed,
                 count(*) filter (where t.clicked) as clicked, count(*) filter (where t.replied) as replied,
                 coalesce(sum(t.machine_events), 0)::bigint as machine_events
          from sent t group by 1) s
    order by s.recipients desc, s.domain $$;

select ok((select count(distinct (o.viewed, o.clicked, o.replied, o.bounced)) > 8 from tap.plain_outcomes(now() - interval '40 days', now()) o),
          'what became of mails differs');
select set_eq($$ select * from spoor.recipient_outcomes(now() - interval '40 days', now()) $$,
              $$ select * from tap.plain_outcomes(now() - interval '40 days', now()) $$, 'what became of each mail, person by person');
select set_eq($$ select * from spoor.recipient_outcomes(now() - interval '9 days', now() - interval '2 days') $$,
              $$ select * from tap.plain_outcomes(now() - interval '9 days', now() - interval '2 days') $$, 'and of those of some days');
select results_eq($$ select * from spoor.sender_report(now() - interval '20 days', now() - interval '2 days') $$,
                  $$ select * from tap.plain_senders(now() - interval '20 days', now() - interval '2 days') $$, 'by sender, in the same order');
select results_eq($$ select * from spoor.recipient_domain_report(now() - interval '20 days', now() - interval '2 days') $$,
                  $$ select * from tap.plain_domains(now() - interval '20 days', now() - interval '2 days') $$, 'by domain, in the same order');
