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
    select count(distinct v.recipient) filter (where v.kind = 'v' or (v.kind = 'O' and v.verdict = 'h')) as viewed,
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
comment on column spoor.message_report.viewed is 'Persons who viewed it, or a document of it; those who cannot be told apart count as one.';
comment on column spoor.message_report.clicked is 'Persons who followed a link; those who cannot be told apart count as one.';
comment on column spoor.message_report.opened is 'Persons who opened a document of it; spoor.document_report has more.';
comment on column spoor.message_report.downloaded is 'Persons who downloaded one.';
comment on column spoor.message_report.replied is 'Addresses that replied.';
comment on column spoor.message_report.first_viewed_at is 'First view.';
comment on column spoor.message_report.last_event_at is 'Last event that counts, answers included.';
comment on column spoor.message_report.views is 'All views, without those of machines and the sender and without repeats.';
comment on column spoor.message_report.clicks is 'All clicks, without those of machines and the sender and without repeats.';
comment on column spoor.message_report.replies is 'Replies by persons.';
comment on column spoor.message_report.auto_replies is 'Out-of-office notes and other automatic replies.';
comment on column spoor.message_report.machine_events is 'Views, clicks and documents opened by robots and prefetchers, which do not count.';
comment on column spoor.message_report.delivered is 'Recipients whose server has taken it, as far as spoor-delivery knows.';
comment on column spoor.message_report.deferred is 'Recipients whose server has put it off.';
comment on column spoor.message_report.refused is 'Recipients whose server has refused it, or did not take it in time.';

create view spoor.recipient_report as
select m.id as message,
       m.sent_at,
       m.sender,
       r.address,
       m.subject,
       e.first_viewed_at is not null as viewed,
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
comment on column spoor.recipient_report.viewed is 'Whether this person viewed it, or a document of it.';
comment on column spoor.recipient_report.clicked is 'Whether this person followed a link.';
comment on column spoor.recipient_report.opened is 'Whether this person opened a document of it.';
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
