-- SPDX-License-Identifier: BSD-2-Clause
-- The feed: what a person reads of what happened, newest first.

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
                case when e.kind in ('F', 'O', 'R', 'D') then spoor.document_detail(e.message, e.link, e.spool, e.record) end) as detail,
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
comment on column spoor.feed.status is 'Status code of a bounce or failed delivery; of a receipt displayed, deleted, dispatched or processed.';
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
