-- SPDX-License-Identifier: BSD-2-Clause
-- Reports: what became of each mail, and of each recipient.

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
where s.last = m.id
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
           count(*) filter (where v.kind = 'c' and not v.repeated) as clicks
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
where s.last = m.id
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
comment on column spoor.recipient_report.replies is 'All replies from this address.';
comment on column spoor.recipient_report.delivery is 'accepted (nothing is known since), delivered, deferred, bounced or expired; where an alias made several of one, the worst.';
comment on column spoor.recipient_report.delivered_at is 'When the recipient''s server took it.';
comment on column spoor.recipient_report.deferred_since is 'Since when it is put off.';
comment on column spoor.recipient_report.relay is 'The server that this is about.';
comment on column spoor.recipient_report.server_words is 'What that server said.';

-- Documents: who read what

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

create function spoor.my_document_pages(secret text, message bigint)
    returns table (number integer, file_name text, page integer, ms bigint, read_for text)
    language sql stable security definer rows 20
    set search_path = pg_catalog, pg_temp
    as $$
    select a.number::integer, a.file_name, n.page, coalesce(p.ms, 0), coalesce(spoor.duration_words(p.ms), 'not read')
    from spoor.my_mail_of($1, $2) m
    cross join lateral spoor.sendings(m.id) s
    join spoor.attachment a on a.message = s.last
    join spoor.document d on d.id = a.document
    cross join lateral generate_series(1, least(d.pages, 60)) n (page)
    left join lateral (
        select sum(r.ms)::bigint as ms from spoor.document_page_report r
        where r.message = any (s.messages) and r.number = a.number and r.document = a.document and r.page = n.page) p on true
    where m.id is not null
    order by a.number, n.page $$;
comment on function spoor.my_document_pages(text, bigint) is 'How long all readers together had each page of a mail''s documents in sight, the first 60 of each, for who is signed in with this secret.';
grant execute on function spoor.my_document_pages(text, bigint) to spoor_feed;

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
-- What became of many mails at once. One that was viewed counts once a person, and a click or a reply says that it was
-- viewed; what machines did is counted apart. Rates are in percent of what stands beside them.

create function spoor.recipient_outcomes(since timestamptz, until timestamptz)
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
               spoor.is_counted(e.kind, coalesce(j.verdict, e.verdict)) as counts,
               coalesce(j.verdict, e.verdict) in ('f', 'b') as machine
        from spoor.event e
        join mail on mail.id = e.message
        left join judged j on j.spool = e.spool and j.record = e.record
        where e.at_time >= $1 and e.kind in ('v', 'c')),
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
    language sql stable
    as $$
    with outcome as (
        select o.message, bool_or(o.viewed) as viewed, bool_or(o.clicked) as clicked, bool_or(o.replied) as replied,
               count(*) filter (where o.bounced) as bounced, count(*) filter (where o.viewed) as persons,
               sum(o.views) as views, sum(o.clicks) as clicks, sum(o.machine_events) as machine_events
        from spoor.recipient_outcomes($1, $2) o group by o.message),
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
comment on function spoor.sender_report(timestamptz, timestamptz) is 'One row a sender, for the mails sent in a time: how many were viewed, clicked and answered, and of how many that is a rate. For example: select * from spoor.sender_report(''2026-01-01'', ''2026-02-01'').';

create view spoor.sender_report as
select r.* from spoor.sender_report(now() - interval '30 days') r;
comment on view spoor.sender_report is 'spoor.sender_report() of the last 30 days: one row a sender, who sent most first.';
comment on column spoor.sender_report.owner is 'Whose mails.';
comment on column spoor.sender_report.mails is 'Tracked mails: what reply_rate is a part of.';
comment on column spoor.sender_report.recipients is 'To how many addresses, all mails together: what bounce_rate is a part of.';
comment on column spoor.sender_report.with_picture is 'Mails with a picture: what view_rate is a part of.';
comment on column spoor.sender_report.viewed is 'Of these, mails that somebody has viewed, clicked or answered.';
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
    language sql stable
    as $$
    with outcome as (
        select r.message, r.key, r.address, o.viewed, o.clicked, o.replied, o.bounced, o.machine_events, m.pixels > 0 as pictured
        from spoor.message m
        join spoor.recipient r on r.message = m.id
        left join spoor.recipient_outcomes($1, $2) o on o.message = r.message and o.key = r.key and r.key <> 0
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
comment on column spoor.recipient_domain_report.viewed is 'Of these, who viewed, clicked or answered.';
comment on column spoor.recipient_domain_report.view_rate is 'viewed in percent of told_apart.';
comment on column spoor.recipient_domain_report.clicked is 'Who followed a link.';
comment on column spoor.recipient_domain_report.replied is 'Who answered.';
comment on column spoor.recipient_domain_report.machine_events is 'Views and clicks by robots and prefetchers there.';

create function spoor.top_links(since timestamptz, until timestamptz default now(), most integer default 100)
    returns table (destination text, persons bigint, mails bigint, clicks bigint, machine_clicks bigint, last_clicked_at timestamptz)
    language sql stable
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

create function spoor.daily_report(since timestamptz default now() - interval '30 days', until timestamptz default now(),
                                   zone text default current_setting('TimeZone'))
    returns table (day date, mails bigint, views bigint, clicks bigint, replies bigint, bounces bigint, machine_events bigint)
    language sql stable
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

create view spoor.campaign_report as
select c.name as campaign,
       c.created_at,
       m.mails,
       m.recipients,
       e.viewed,
       spoor.percent(e.viewed, m.pictured) as view_rate,
       e.clicked,
       spoor.percent(e.clicked, m.pictured) as click_rate,
       s.replied,
       spoor.percent(s.replied, m.recipients) as reply_rate,
       s.bounced,
       s.complained,
       s.unsubscribed,
       s.stopped,
       s.paused,
       f.refused,
       e.machine_events,
       m.last_sent_at,
       m.pictured as with_picture
from spoor.campaign c
cross join lateral (
    select count(distinct o.id) as mails, count(distinct r.address) as recipients,
           count(distinct o.id) filter (where o.pixels > 0) as pictured, max(o.sent_at) as last_sent_at
    from spoor.message o left join spoor.recipient r on r.message = o.id where o.campaign = c.name) m
cross join lateral (
    select count(distinct v.message) filter (where spoor.is_counted(v.kind, v.verdict)) as viewed,
           count(distinct v.message) filter (where spoor.is_counted(v.kind, v.verdict) and v.kind = 'c') as clicked,
           count(*) filter (where v.verdict in ('f', 'b') and v.kind in ('v', 'c')) as machine_events
    from spoor.message o join spoor.judged_event v on v.message = o.id
    where o.campaign = c.name and o.pixels > 0 and v.kind in ('v', 'c', 'r')) e
cross join lateral (
    select count(distinct t.address) filter (where t.reason = 'reply') as replied,
           count(distinct t.address) filter (where t.reason = 'bounce') as bounced,
           count(distinct t.address) filter (where t.reason = 'complaint') as complained,
           count(distinct t.address) filter (where t.reason = 'unsubscribe') as unsubscribed,
           count(distinct t.address) filter (where t.until is null and t.resumed_at is null) as stopped,
           count(distinct t.address) filter (where t.until > now() and t.resumed_at is null) as paused
    from spoor.campaign_stop t where t.campaign = c.name) s
cross join lateral (select count(*) as refused from spoor.campaign_refusal x where x.campaign = c.name) f
order by m.last_sent_at desc nulls last, c.name;
comment on view spoor.campaign_report is 'One row a campaign, the one that sent last first: whom it reached, who viewed it and for whom it ended.';
comment on column spoor.campaign_report.campaign is 'Name of the campaign.';
comment on column spoor.campaign_report.created_at is 'When its first mail or stop came.';
comment on column spoor.campaign_report.mails is 'Mails sent.';
comment on column spoor.campaign_report.recipients is 'Addresses it was sent to: what reply_rate is a part of.';
comment on column spoor.campaign_report.viewed is 'Mails that somebody has viewed, clicked or answered, of those with a picture.';
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
