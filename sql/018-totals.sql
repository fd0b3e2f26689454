-- SPDX-License-Identifier: BSD-2-Clause
-- What became of many mails at once. One that was viewed counts once a person, and a click or a reply says that it was
-- viewed; what machines did is counted apart. Rates are in percent of what stands beside them.

create function spoor.recipient_outcomes(since timestamptz, until timestamptz)
    returns table (message bigint, key integer, viewed boolean, clicked boolean, replied boolean, bounced boolean,
                   views bigint, clicks bigint, machine_events bigint, last_event_at timestamptz)
    language sql stable parallel safe
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
        where e.at_time >= $1 and e.kind in ('v', 'c', 'O')
        offset 0), -- or what is asked of a row would be found out anew for each column
    answer as (
        select a.message, coalesce(r.key, a.recipient) as recipient, a.class = 'reply' as replied,
               a.class = 'bounce' and a.hard is true as bounced, a.at_time
        from spoor.answer a
        join mail on mail.id = a.message
        left join spoor.recipient r on r.message = a.message
            and r.address = case when a.class in ('bounce', 'complaint') then a.about else a.from_address end
        where a.class in ('reply', 'bounce'))
    select o.message, o.recipient, bool_or(o.counts), bool_or(o.counts and o.kind = 'c'), bool_or(o.replied), bool_or(o.bounced),
           count(*) filter (where o.counts and o.kind = 'v'), count(*) filter (where o.counts and o.kind = 'c'),
           count(*) filter (where o.machine), max(o.at_time) filter (where o.counts or o.machine is null)
    from (
        select h.message, h.recipient, h.kind, h.counts, h.machine, false as replied, false as bounced, h.at_time from hit h
        union all
        select a.message, a.recipient, 'r', a.replied, null, a.replied, a.bounced, a.at_time from answer a) o
    group by o.message, o.recipient $$;
comment on function spoor.recipient_outcomes(timestamptz, timestamptz) is 'What became of the mails sent in a time, one row a mail and person of whom there is anything: key 0 stands for those who cannot be told apart.';

create function spoor.percent(part bigint, whole bigint) returns numeric
    language sql immutable parallel safe
    as $$ select round(100.0 * $1 / nullif($2, 0), 1) $$;
comment on function spoor.percent(bigint, bigint) is 'A rate in percent, with one decimal; null where there is nothing to divide by.';

create function spoor.sender_report(since timestamptz, until timestamptz default now())
    returns table (owner text, mails bigint, recipients bigint, with_picture bigint, viewed bigint, view_rate numeric,
                   with_links bigint, clicked bigint, click_rate numeric, replied bigint, reply_rate numeric,
                   bounced bigint, bounce_rate numeric, persons_viewed bigint, views bigint, clicks bigint,
                   machine_events bigint, last_sent_at timestamptz)
    language sql stable parallel safe
    as $$
    with outcome as (
        select o.message, bool_or(o.viewed) as viewed, bool_or(o.clicked) as clicked, bool_or(o.replied) as replied,
               count(*) filter (where o.bounced) as bounced, count(*) filter (where o.viewed) as persons,
               sum(o.views) as views, sum(o.clicks) as clicks, sum(o.machine_events) as machine_events
        from spoor.recipient_outcomes($1, $2) o group by o.message),
    linked as (
        select m.id from spoor.message m
        where m.sent_at >= $1 and m.sent_at < $2 and exists (select from spoor.link l where l.message = m.id)),
    mail as (
        select m.owner, m.sent_to, m.pixels > 0 as pictured, m.sent_at, o.*, l.id is not null as linked
        from spoor.message m left join outcome o on o.message = m.id left join linked l on l.id = m.id
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
comment on function spoor.sender_report(timestamptz, timestamptz) is 'One row a sender, for the mails sent in a time: how many were viewed, clicked and answered, and of how many that is a rate. For example: select * from spoor.sender_report(''2026-01-01'', ''2026-02-01'').';

create view spoor.sender_report as
select r.* from spoor.sender_report(now() - interval '30 days') r;
comment on view spoor.sender_report is 'spoor.sender_report() of the last 30 days: one row a sender, who sent most first.';
comment on column spoor.sender_report.owner is 'Whose mails.';
comment on column spoor.sender_report.mails is 'Tracked mails: what reply_rate is a part of.';
comment on column spoor.sender_report.recipients is 'To how many addresses, all mails together: what bounce_rate is a part of.';
comment on column spoor.sender_report.with_picture is 'Mails with a picture: what view_rate is a part of.';
comment on column spoor.sender_report.viewed is 'Of these, mails that somebody has viewed, clicked or answered, or of which a person opened a document.';
comment on column spoor.sender_report.view_rate is 'viewed in percent of with_picture.';
comment on column spoor.sender_report.with_links is 'Mails with tracked links: what click_rate is a part of.';
comment on column spoor.sender_report.clicked is 'Of these, mails in which somebody followed a link.';
comment on column spoor.sender_report.click_rate is 'clicked in percent of with_links.';
comment on column spoor.sender_report.replied is 'Mails that somebody answered.';
comment on column spoor.sender_report.reply_rate is 'replied in percent of mails.';
comment on column spoor.sender_report.bounced is 'Recipients for whom it came back for good.';
comment on column spoor.sender_report.bounce_rate is 'bounced in percent of recipients.';
comment on column spoor.sender_report.persons_viewed is 'Persons who viewed, each once a mail; those who cannot be told apart are one.';
comment on column spoor.sender_report.views is 'All views, repeats too.';
comment on column spoor.sender_report.clicks is 'All clicks, repeats too.';
comment on column spoor.sender_report.machine_events is 'Views and clicks by robots and prefetchers, which count nowhere else.';
comment on column spoor.sender_report.last_sent_at is 'When the last mail went.';

create function spoor.recipient_domain_report(since timestamptz, until timestamptz default now())
    returns table (domain text, mails bigint, recipients bigint, delivered bigint, delivery_rate numeric, bounced bigint,
                   bounce_rate numeric, told_apart bigint, viewed bigint, view_rate numeric, clicked bigint, replied bigint,
                   machine_events bigint)
    language sql stable parallel safe
    as $$
    with mail as (select m.id, m.pixels > 0 as pictured from spoor.message m where m.sent_at >= $1 and m.sent_at < $2),
    -- each a join of many with many, and not a look for each recipient
    delivered as (
        select c.message, c.recipient, max(c.state) as state
        from spoor.delivery c join mail m on m.id = c.message group by c.message, c.recipient),
    blurred as (
        select distinct e.message from spoor.event e join mail m on m.id = e.message where e.recipient = 0 and e.at_time >= $1),
    sent as (
        select r.message, spoor.domain_of(r.address) as domain, d.state, o.viewed, o.clicked, o.replied, o.bounced, o.machine_events,
               m.pictured and (o.viewed is not null or b.message is null) as apart
        from mail m
        join spoor.recipient r on r.message = m.id
        left join spoor.recipient_outcomes($1, $2) o on o.message = r.message and o.key = r.key and r.key <> 0
        left join delivered d on d.message = r.message and d.recipient = r.address
        left join blurred b on b.message = r.message)
    select s.domain, s.mails, s.recipients, s.delivered, spoor.percent(s.delivered, s.recipients), s.bounced,
           spoor.percent(s.bounced, s.recipients), s.apart, s.viewed, spoor.percent(s.viewed, s.apart), s.clicked, s.replied,
           s.machine_events
    from (select t.domain, count(distinct t.message) as mails, count(*) as recipients,
                 count(*) filter (where t.state = 'delivered') as delivered,
                 count(*) filter (where t.bounced or t.state in ('bounced', 'expired')) as bounced,
                 count(*) filter (where t.apart) as apart, count(*) filter (where t.apart and t.viewed) as viewed,
                 count(*) filter (where t.clicked) as clicked, count(*) filter (where t.replied) as replied,
                 coalesce(sum(t.machine_events), 0)::bigint as machine_events
          from sent t group by t.domain) s
    order by s.recipients desc, s.domain $$;
comment on function spoor.recipient_domain_report(timestamptz, timestamptz) is 'One row a domain of recipients, for the mails sent in a time: what is delivered there, viewed and answered, and how busy its machines are.';

create view spoor.recipient_domain_report as
select r.* from spoor.recipient_domain_report(now() - interval '30 days') r;
comment on view spoor.recipient_domain_report is 'spoor.recipient_domain_report() of the last 30 days: one row a domain, the one that got most first.';
comment on column spoor.recipient_domain_report.domain is 'Domain of the recipients.';
comment on column spoor.recipient_domain_report.mails is 'Mails that went there.';
comment on column spoor.recipient_domain_report.recipients is 'Recipients there, each once a mail: what delivery_rate and bounce_rate are parts of.';
comment on column spoor.recipient_domain_report.delivered is 'Of these, whose server has taken the mail, as far as spoor-delivery knows.';
comment on column spoor.recipient_domain_report.delivery_rate is 'delivered in percent of recipients.';
comment on column spoor.recipient_domain_report.bounced is 'For whom it came back for good, or was never taken.';
comment on column spoor.recipient_domain_report.bounce_rate is 'bounced in percent of recipients.';
comment on column spoor.recipient_domain_report.told_apart is 'Recipients of mails with a picture whose views are not lost among those of others: what view_rate is a part of.';
comment on column spoor.recipient_domain_report.viewed is 'Of these, who viewed, clicked or answered, or opened a document.';
comment on column spoor.recipient_domain_report.view_rate is 'viewed in percent of told_apart.';
comment on column spoor.recipient_domain_report.clicked is 'Who followed a link.';
comment on column spoor.recipient_domain_report.replied is 'Who answered.';
comment on column spoor.recipient_domain_report.machine_events is 'Views and clicks by robots and prefetchers there.';

create function spoor.top_links(since timestamptz, until timestamptz default now(), most integer default 100)
    returns table (destination text, persons bigint, mails bigint, clicks bigint, machine_clicks bigint, last_clicked_at timestamptz)
    language sql stable parallel safe
    as $$
    select l.destination,
           count(distinct (e.message, e.recipient)) filter (where e.counts) as persons,
           count(distinct e.message) filter (where e.counts) as mails,
           count(*) filter (where e.counts) as clicks,
           count(*) filter (where not e.counts) as machine_clicks,
           max(e.at_time) filter (where e.counts) as last_clicked_at
    from (select j.message, j.recipient, j.link, j.at_time, spoor.is_counted(j.kind, j.verdict) as counts
          from spoor.judged_event j
          where j.kind = 'c' and j.at_time >= $1 and j.at_time < $2 and j.verdict <> 's' and not spoor.is_decoy(j.kind, j.link)) e
    join spoor.link l on l.message = e.message and l.number = e.link
    group by l.destination
    order by persons desc, clicks desc, l.destination
    limit $3 $$;
comment on function spoor.top_links(timestamptz, timestamptz, integer) is 'Where most persons were led in a time, each counted once a mail; those who cannot be told apart are one.';

create view spoor.top_links as
select r.* from spoor.top_links(now() - interval '30 days') r;
comment on view spoor.top_links is 'spoor.top_links() of the last 30 days: the hundred destinations that most persons went to.';
comment on column spoor.top_links.destination is 'Where the link leads.';
comment on column spoor.top_links.persons is 'Persons who followed it, each once a mail.';
comment on column spoor.top_links.mails is 'Mails in which somebody did.';
comment on column spoor.top_links.clicks is 'All clicks, repeats too.';
comment on column spoor.top_links.machine_clicks is 'Clicks by robots and prefetchers, which do not count.';
comment on column spoor.top_links.last_clicked_at is 'The last click that counts.';

create function spoor.daily_report(since timestamptz default now() - interval '30 days', until timestamptz default now(),
                                   zone text default current_setting('TimeZone'))
    returns table (day date, mails bigint, views bigint, clicks bigint, replies bigint, bounces bigint, machine_events bigint)
    language sql stable parallel safe
    as $$
    select t.day, sum(t.mails)::bigint, sum(t.views)::bigint, sum(t.clicks)::bigint, sum(t.replies)::bigint,
           sum(t.bounces)::bigint, sum(t.machine)::bigint
    from (
        select (m.sent_at at time zone $3)::date as day, count(*) as mails, 0 as views, 0 as clicks, 0 as replies, 0 as bounces,
               0 as machine
        from spoor.message m where m.sent_at >= $1 and m.sent_at < $2 group by 1
        union all
        select (e.at_time at time zone $3)::date, 0,
               count(*) filter (where e.kind = 'v' and spoor.is_counted(e.kind, e.verdict)),
               count(*) filter (where e.kind = 'c' and spoor.is_counted(e.kind, e.verdict)),
               count(*) filter (where e.kind = 'r'), count(*) filter (where e.kind = 'b'),
               count(*) filter (where e.kind in ('v', 'c') and e.verdict in ('f', 'b'))
        from spoor.judged_event e where e.at_time >= $1 and e.at_time < $2 group by 1) t
    group by t.day order by t.day desc $$;
comment on function spoor.daily_report(timestamptz, timestamptz, text) is 'One row a day of a time zone (the session''s, if none is named), newest first: what was sent and what came back on that day.';

-- Each join has one row a campaign, counted in one pass over its tables; what is asked of one campaign goes down into all of them.
create view spoor.campaign_report as
select c.name as campaign,
       c.created_at,
       coalesce(m.mails, 0) as mails,
       coalesce(r.recipients, 0) as recipients,
       coalesce(e.viewed, 0) as viewed,
       spoor.percent(coalesce(e.viewed, 0), m.pictured) as view_rate,
       coalesce(e.clicked, 0) as clicked,
       spoor.percent(coalesce(e.clicked, 0), m.pictured) as click_rate,
       coalesce(s.replied, 0) as replied,
       spoor.percent(coalesce(s.replied, 0), r.recipients) as reply_rate,
       coalesce(s.bounced, 0) as bounced,
       coalesce(s.complained, 0) as complained,
       coalesce(s.unsubscribed, 0) as unsubscribed,
       coalesce(s.stopped, 0) as stopped,
       coalesce(s.paused, 0) as paused,
       coalesce(f.refused, 0) as refused,
       coalesce(e.machine_events, 0) as machine_events,
       m.last_sent_at,
       coalesce(m.pictured, 0) as with_picture
from spoor.campaign c
left join (
    select o.campaign, count(*) as mails, count(*) filter (where o.pixels > 0) as pictured, max(o.sent_at) as last_sent_at
    from spoor.message o where o.campaign is not null group by o.campaign) m on m.campaign = c.name
left join (
    select a.campaign, count(*) as recipients
    from (select distinct o.campaign, n.address from spoor.message o join spoor.recipient n on n.message = o.id
          where o.campaign is not null) a
    group by a.campaign) r on r.campaign = c.name
left join (
    select g.campaign, count(*) filter (where g.viewed) as viewed, count(*) filter (where g.clicked) as clicked,
           sum(g.machine_events)::bigint as machine_events
    from (select o.campaign, o.id,
                 bool_or(spoor.is_counted(v.kind, v.verdict) and (v.kind <> 'O' or v.verdict = 'h')) as viewed,
                 bool_or(spoor.is_counted(v.kind, v.verdict) and v.kind = 'c') as clicked,
                 count(*) filter (where v.verdict in ('f', 'b') and v.kind in ('v', 'c')) as machine_events
          from spoor.message o join spoor.judged_event v on v.message = o.id
          where o.campaign is not null and o.pixels > 0 and v.kind in ('v', 'c', 'r', 'O')
          group by o.campaign, o.id) g
    group by g.campaign) e on e.campaign = c.name
left join (
    select t.campaign,
           count(distinct t.address) filter (where t.reason = 'reply') as replied,
           count(distinct t.address) filter (where t.reason = 'bounce') as bounced,
           count(distinct t.address) filter (where t.reason = 'complaint') as complained,
           count(distinct t.address) filter (where t.reason = 'unsubscribe') as unsubscribed,
           count(distinct t.address) filter (where t.until is null and t.resumed_at is null) as stopped,
           count(distinct t.address) filter (where t.until > now() and t.resumed_at is null) as paused
    from spoor.campaign_stop t group by t.campaign) s on s.campaign = c.name
left join (select x.campaign, count(*) as refused from spoor.campaign_refusal x group by x.campaign) f on f.campaign = c.name
order by m.last_sent_at desc nulls last, c.name;
comment on view spoor.campaign_report is 'One row a campaign, the one that sent last first: whom it reached, who viewed it and for whom it ended.';
comment on column spoor.campaign_report.campaign is 'Name of the campaign.';
comment on column spoor.campaign_report.created_at is 'When its first mail or stop came.';
comment on column spoor.campaign_report.mails is 'Mails sent.';
comment on column spoor.campaign_report.recipients is 'Addresses it was sent to: what reply_rate is a part of.';
comment on column spoor.campaign_report.viewed is 'Mails that somebody has viewed, clicked or answered, or of which a person opened a document, of those with a picture.';
comment on column spoor.campaign_report.view_rate is 'viewed in percent of with_picture.';
comment on column spoor.campaign_report.clicked is 'Mails in which somebody followed a link, of those with a picture.';
comment on column spoor.campaign_report.click_rate is 'clicked in percent of with_picture.';
comment on column spoor.campaign_report.replied is 'Addresses for which a reply ended it.';
comment on column spoor.campaign_report.reply_rate is 'replied in percent of recipients.';
comment on column spoor.campaign_report.bounced is 'Addresses for which a bounce ended it.';
comment on column spoor.campaign_report.complained is 'Addresses for which a complaint ended it.';
comment on column spoor.campaign_report.unsubscribed is 'Addresses that unsubscribed from it.';
comment on column spoor.campaign_report.stopped is 'Addresses and domains for which it has ended, for whatever reason.';
comment on column spoor.campaign_report.paused is 'Addresses for which it pauses now.';
comment on column spoor.campaign_report.refused is 'Mails that did not go to somebody because of that.';
comment on column spoor.campaign_report.machine_events is 'Views and clicks by robots and prefetchers, which do not count.';
comment on column spoor.campaign_report.last_sent_at is 'When the last mail went.';
comment on column spoor.campaign_report.with_picture is 'Mails with a picture: what view_rate and click_rate are parts of.';
