-- SPDX-License-Identifier: BSD-2-Clause
-- The tables: what was sent, what became of it, and how far each spool is loaded.

create schema spoor;
comment on schema spoor is 'Spoor, the mail tracking suite: what became of each tracked mail. Start with the view spoor.feed.';

create table spoor.schema (
    version integer not null,
    compatible_from integer not null,
    updated_at timestamptz not null default now()
);
create unique index schema_is_one_row on spoor.schema ((true));
insert into spoor.schema (version, compatible_from) values (0, 1);
comment on table spoor.schema is 'One row: how far the migrations have been applied. A program starts when the schema it was built for lies between the two numbers.';
comment on column spoor.schema.version is 'Number of the last migration applied.';
comment on column spoor.schema.compatible_from is 'The oldest schema a program may have been built for and still work with this one.';
comment on column spoor.schema.updated_at is 'When the last migration was applied.';

create table spoor.shard (
    number smallint not null check (number between 0 and 7)
);
create unique index shard_is_one_row on spoor.shard ((true));
insert into spoor.shard (number) values (0);
comment on table spoor.shard is 'One row: which of several servers this is. See spoor.server.';
comment on column spoor.shard.number is '0: the first server, or the only one; else the mails of the nodes from 128 times this on are here.';

create type spoor.tracking_level as enum ('off', 'aggregate', 'individual');
comment on type spoor.tracking_level is 'How much is kept about recipients: nothing, counts only, or each person.';
create type spoor.answer_class as enum ('none', 'own', 'complaint', 'receipt', 'bounce', 'delay', 'delivered', 'auto_reply', 'meeting', 'list', 'machine', 'reply');
comment on type spoor.answer_class is 'What kind of mail an answer is; only reply is a person who wrote back.';
create type spoor.answer_rung as enum ('none', 'in_reply_to', 'references', 'original_message_id', 'returned_headers', 'quoted_url', 'bounce_address');
comment on type spoor.answer_rung is 'Where in an answer the tracked mail was named.';
create type spoor.answer_confidence as enum ('none', 'low', 'medium', 'high');
comment on type spoor.answer_confidence is 'How certain it is that an answer belongs to the mail.';
create type spoor.answerer as enum ('unknown', 'recipient', 'other');
comment on type spoor.answerer is 'Whether an answer came from an address that the mail was sent to.';
create type spoor.stop_reason as enum ('reply', 'bounce', 'complaint', 'auto_reply', 'unsubscribe', 'manual');
comment on type spoor.stop_reason is 'Why a campaign ended or pauses for somebody; auto_reply is a pause.';

create table spoor.node (
    node smallint primary key check (node between 0 and 1023),
    identity uuid not null,
    host text not null,
    program text not null,
    leased_at timestamptz not null default now()
);
create unique index node_identity on spoor.node (identity, (node / 128));
comment on table spoor.node is 'Node numbers, which stand in the message ids that a spoor-stamp makes. A lease does not expire, and no number is given out twice.';
comment on column spoor.node.node is 'The number, 0 to 1023; divided by 128 it is the shard that the mail goes to.';
comment on column spoor.node.identity is 'Identity of the spool that holds the lease; one a shard, should its host change.';
comment on column spoor.node.host is 'Host that asked for it.';
comment on column spoor.node.program is 'Program that asked for it.';
comment on column spoor.node.leased_at is 'When it was given out.';

create table spoor.spool_progress (
    spool smallint generated always as identity primary key,
    identity uuid not null unique,
    host text not null,
    program text not null,
    role name not null default session_user,
    position bigint not null default 0,
    record bigint not null default 0,
    checksum bigint not null default 0,
    dropped bigint not null default 0,
    updated_at timestamptz not null default now(),
    entered_at timestamptz not null default now(),
    retired_at timestamptz
);
comment on table spoor.spool_progress is 'How far each spool has been loaded; moved in the transaction that loads, so nothing is loaded twice.';
comment on column spoor.spool_progress.spool is 'Short number of the spool, as in spoor.event.';
comment on column spoor.spool_progress.identity is 'The 128 random bits that the spool calls itself.';
comment on column spoor.spool_progress.host is 'Host on which the spool lies.';
comment on column spoor.spool_progress.program is 'Program that writes it.';
comment on column spoor.spool_progress.role is 'Role that entered it; only this one, or a member of it, moves it on.';
comment on column spoor.spool_progress.position is 'Everything before this position is in the database.';
comment on column spoor.spool_progress.record is 'Position at which the last loaded record begins.';
comment on column spoor.spool_progress.checksum is 'CRC-32C of the last loaded record: tells another life of the same spool.';
comment on column spoor.spool_progress.dropped is 'Records left out because they were older than the retention.';
comment on column spoor.spool_progress.updated_at is 'When it last moved.';
comment on column spoor.spool_progress.entered_at is 'When its loader last began a session.';
comment on column spoor.spool_progress.retired_at is 'Since when nobody waits for it any more; null while it counts. A loader that comes back with it takes this back.';

create table spoor.retention (
    events interval not null check (events between '1 day' and '99 years')
);
create unique index retention_is_one_row on spoor.retention ((true));
insert into spoor.retention (events) values ('5 years');
comment on table spoor.retention is 'One row: how long things are kept.';
comment on column spoor.retention.events is 'Events older than this are not loaded any more, and spoor.prune() deletes them with their mails.';

create table spoor.forget_salt (
    salt bytea not null check (octet_length(salt) >= 32)
);
create unique index forget_salt_is_one_row on spoor.forget_salt ((true));
insert into spoor.forget_salt (salt) values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
comment on table spoor.forget_salt is 'One row, never to be changed: the secret with which spoor.forgotten knows addresses again without holding them.';
comment on column spoor.forget_salt.salt is 'Random bytes.';

create table spoor.forgotten (
    number bigint generated always as identity primary key,
    digest bytea not null unique check (octet_length(digest) = 32),
    forgotten_at timestamptz not null default now(),
    suppressed boolean not null default false,
    remembered_at timestamptz
);
comment on table spoor.forgotten is 'Who is forgotten: nothing about them is taken into the database any more. See spoor.forget().';
comment on column spoor.forgotten.number is 'Counts them.';
comment on column spoor.forgotten.digest is 'SHA-256 of the salt and the address in normal form; see spoor.forget_digest().';
comment on column spoor.forgotten.forgotten_at is 'When.';
comment on column spoor.forgotten.suppressed is 'Had unsubscribed, or answered a campaign: gets no campaign mail, as before.';
comment on column spoor.forgotten.remembered_at is 'When spoor.remember() took it back; null: it holds.';

create table spoor.cache_epoch (
    number bigint not null check (number > 0),
    begun_at timestamptz not null default now()
);
create unique index cache_epoch_is_one_row on spoor.cache_epoch ((true));
comment on table spoor.cache_epoch is 'One row: what the programs have in memcached under another number they do not find any more. See spoor.begin_epoch().';
comment on column spoor.cache_epoch.number is 'Of the epoch; drawn, so that a database that is restored does not come to one that was.';
comment on column spoor.cache_epoch.begun_at is 'When it began.';

alter table spoor.spool_progress add column forgotten bigint not null default 0;
comment on column spoor.spool_progress.forgotten is 'Up to this number of spoor.forgotten the spool holds nothing any more of who is forgotten; see spoor.erasure.';

create table spoor.message (
    id bigint primary key,
    sent_at timestamptz not null,
    size bigint not null,
    level spoor.tracking_level not null,
    pixels smallint not null,
    sent_to integer not null,
    owner text not null,
    sender text,
    envelope_sender text,
    subject text,
    sent_message_id text,
    client_message_id text,
    campaign text,
    host text,
    queue_id text
);
create index message_owner on spoor.message (owner, id);
create index message_sent_at on spoor.message (sent_at);
-- hash: a Message-ID may be longer than a btree takes
create index message_sent_message_id on spoor.message using hash (lower(sent_message_id collate "C"));
create index message_client_message_id on spoor.message using hash (lower(client_message_id collate "C"));
comment on table spoor.message is 'A tracked mail, as spoor-stamp sent it on.';
comment on column spoor.message.id is 'Made of time, node and sequence; sorts by time.';
comment on column spoor.message.sent_at is 'When the mail was taken from the sender.';
comment on column spoor.message.size is 'Bytes of header and body as they came.';
comment on column spoor.message.level is 'How much is kept about its recipients.';
comment on column spoor.message.sent_to is 'To how many addresses it went; they are named in spoor.recipient unless the level is aggregate.';
comment on column spoor.message.pixels is 'Pictures put in; 0: views are not tracked.';
comment on column spoor.message.owner is 'Whose mail it is and in whose feed it appears.';
comment on column spoor.message.sender is 'Address in From.';
comment on column spoor.message.envelope_sender is 'Address in MAIL FROM.';
comment on column spoor.message.subject is 'Subject, decoded.';
comment on column spoor.message.sent_message_id is 'Message-ID as it left, without brackets.';
comment on column spoor.message.client_message_id is 'Message-ID that the mail program had given, without brackets.';
comment on column spoor.message.campaign is 'Campaign the mail belongs to.';
comment on column spoor.message.host is 'Mail server that sent it.';
comment on column spoor.message.queue_id is 'Queue id there.';

create table spoor.recipient (
    message bigint not null,
    address text not null,
    key integer not null,
    original text,
    primary key (message, address)
);
create index recipient_address on spoor.recipient (address);
comment on table spoor.recipient is 'To whom each tracked mail went.';
comment on column spoor.recipient.message is 'The mail.';
comment on column spoor.recipient.address is 'Address in normal form.';
comment on column spoor.recipient.key is 'The 32 bits that stand for the address in tokens, as a signed number; 0 where persons are not told apart.';
comment on column spoor.recipient.original is 'Recipient of the same mail to whom it was submitted, when an alias brought this one; null: nobody else.';

create table spoor.link (
    message bigint not null,
    number smallint not null,
    destination text not null,
    primary key (message, number)
);
comment on table spoor.link is 'Links of a mail that lead through spoor-pixeld.';
comment on column spoor.link.message is 'The mail.';
comment on column spoor.link.number is 'Which link of the mail, from 1, as a signed number of 16 bits.';
comment on column spoor.link.destination is 'Where it leads.';

create table spoor.agent (
    id integer generated always as identity primary key,
    hash uuid not null unique,
    name text not null
);
comment on table spoor.agent is 'User-Agent headers, each stored once.';
comment on column spoor.agent.id is 'Number used in spoor.event.';
comment on column spoor.agent.hash is 'MD5 of the name, for the unique index only.';
comment on column spoor.agent.name is 'The header as it came, cut to 512 bytes.';

create table spoor.reason (
    id smallint generated always as identity primary key,
    hash uuid not null unique,
    name text not null
);
comment on table spoor.reason is 'Reasons for verdicts, each stored once.';
comment on column spoor.reason.id is 'Number used in spoor.event.';
comment on column spoor.reason.hash is 'MD5 of the name, for the unique index only.';
comment on column spoor.reason.name is 'The word.';

-- The columns stand in the order that leaves no gaps, and are never null but for the address: 72 bytes a row with an
-- IPv4 address. What only a few events have lies in tables of its own.
create table spoor.event (
    at_time timestamptz not null,
    message bigint not null,
    record bigint not null,
    recipient integer not null,
    agent integer not null,
    spool smallint not null,
    link smallint not null,
    kind "char" not null,
    verdict "char" not null,
    reason smallint not null,
    address inet
) partition by range (at_time);
create index event_message on spoor.event (message);
create index event_at_time on spoor.event (at_time);
-- several ranges of records for each range of pages, for there the events of several spools lie mixed, and each spool is at another place
create index event_record on spoor.event using brin (spool, record int8_minmax_multi_ops (values_per_range = 64))
    with (pages_per_range = 32, autosummarize = on);
comment on table spoor.event is 'Everything that happened to tracked mails, machine-made or not, one row each, in compact codes; spoor.event_report spells them out. A partition a month.';
comment on column spoor.event.at_time is 'When it happened. A time more than a day ahead is replaced by the time of loading; see spoor.event_clock.';
comment on column spoor.event.message is 'The mail; its row may arrive later.';
comment on column spoor.event.record is 'Position in the spool; with the spool it identifies the event.';
comment on column spoor.event.recipient is 'Key of the recipient; 0: one of the recipients.';
comment on column spoor.event.agent is 'Number in spoor.agent; 0: none.';
comment on column spoor.event.spool is 'Spool it came from, as in spoor.spool_progress.';
comment on column spoor.event.link is 'Which link was followed; 0: none, 32767: the decoy, see spoor.is_decoy().';
comment on column spoor.event.kind is 'Letter; spoor.event_kind_name() gives the word.';
comment on column spoor.event.verdict is 'Letter; spoor.verdict_name() gives the word. It says who did it.';
comment on column spoor.event.reason is 'Number in spoor.reason; 0: none.';
comment on column spoor.event.address is 'Network address of the client, where it is kept.';

create table spoor.event_verdict (
    number bigint generated always as identity primary key,
    record bigint not null,
    judged_at timestamptz not null default now(),
    spool smallint not null,
    reason smallint not null,
    verdict "char" not null
);
create index event_verdict_record on spoor.event_verdict (spool, record);
comment on table spoor.event_verdict is 'Verdicts that came later, when more was known; the last one of an event holds, and spoor.event keeps the first.';
comment on column spoor.event_verdict.number is 'Counts them; a row of spoor.batch for spool 0 names the first and the last that came together.';
comment on column spoor.event_verdict.record is 'Record of the event.';
comment on column spoor.event_verdict.judged_at is 'When it was judged.';
comment on column spoor.event_verdict.spool is 'Spool of the event.';
comment on column spoor.event_verdict.reason is 'As in spoor.event.';
comment on column spoor.event_verdict.verdict is 'As in spoor.event.';

create table spoor.verdict_setting (
    verdict_settle interval not null default '60 s' check (verdict_settle >= '0'),
    repeat_window interval not null default '30 min' check (repeat_window >= '0'),
    decoy_within interval not null default '10 s' check (decoy_within between '0' and '1 min'),
    decoy_per_link interval not null default '1 s' check (decoy_per_link between '0' and '10 s'),
    burst_links integer not null default 3 check (burst_links >= 2),
    burst_within interval not null default '2 s' check (burst_within between '0' and '1 min'),
    burst_all_within interval not null default '10 s' check (burst_all_within between '0' and '1 min'),
    crowd_recipients integer not null default 10 check (crowd_recipients >= 2),
    crowd_within interval not null default '5 s' check (crowd_within between '0' and '1 min')
);
create unique index verdict_setting_is_one_row on spoor.verdict_setting ((true));
insert into spoor.verdict_setting default values;
comment on table spoor.verdict_setting is 'One row: what hindsight calls a machine, and what counts once. Change it with update; verdicts that were given stay.';
comment on column spoor.verdict_setting.verdict_settle is 'A view or click older than this is not expected to be judged again; see spoor.feed.settled.';
comment on column spoor.verdict_setting.repeat_window is 'The same view, or click, from the same network no later than this after the last one counts as that one.';
comment on column spoor.verdict_setting.decoy_within is 'A click of a recipient so soon before or after the decoy link was followed for that recipient: a scanner.';
comment on column spoor.verdict_setting.decoy_per_link is 'For each link of the mail so much longer.';
comment on column spoor.verdict_setting.burst_links is 'So many links of one mail followed within burst_within for one recipient: a scanner.';
comment on column spoor.verdict_setting.burst_within is 'See burst_links.';
comment on column spoor.verdict_setting.burst_all_within is 'All links of a mail that has three or more, followed within this for one recipient: a scanner.';
comment on column spoor.verdict_setting.crowd_recipients is 'What so many recipients were sent, asked for from one address by one program within crowd_within: a scanner.';
comment on column spoor.verdict_setting.crowd_within is 'See crowd_recipients.';

create table spoor.event_clock (
    spool smallint not null,
    record bigint not null,
    claimed_at timestamptz not null,
    primary key (spool, record)
);
comment on table spoor.event_clock is 'The times of events whose host had its clock more than a day ahead.';
comment on column spoor.event_clock.spool is 'Spool of the event.';
comment on column spoor.event_clock.record is 'Record of the event.';
comment on column spoor.event_clock.claimed_at is 'The time that the record says.';

create table spoor.unjudged_hit (
    spool smallint not null,
    record bigint not null,
    at_time timestamptz not null,
    target text not null,
    verdict "char" not null,
    reason smallint not null,
    agent integer not null,
    address inet,
    primary key (spool, record)
);
comment on table spoor.unjudged_hit is 'Requests whose token is signed with a key that was not known where they came in, kept as they came for a later judgement; see spoor.prune_unjudged().';
comment on column spoor.unjudged_hit.spool is 'Spool it came from.';
comment on column spoor.unjudged_hit.record is 'Position in the spool.';
comment on column spoor.unjudged_hit.at_time is 'When it came.';
comment on column spoor.unjudged_hit.target is 'The request target, which holds the token.';
comment on column spoor.unjudged_hit.verdict is 'As in spoor.event.';
comment on column spoor.unjudged_hit.reason is 'As in spoor.event.';
comment on column spoor.unjudged_hit.agent is 'As in spoor.event.';
comment on column spoor.unjudged_hit.address is 'As in spoor.event.';

create table spoor.answer (
    message bigint not null,
    digest bytea not null check (octet_length(digest) = 32),
    at_time timestamptz not null,
    record bigint not null,
    spool smallint not null,
    recipient integer not null,
    answerer_key integer not null,
    class spoor.answer_class not null,
    rung spoor.answer_rung not null,
    confidence spoor.answer_confidence not null,
    answerer spoor.answerer not null,
    from_address text,
    envelope_sender text,
    subject text,
    message_id text,
    host text,
    queue_id text,
    about text,
    status text,
    hard boolean,
    effect boolean not null default false,
    text text,
    primary key (message, digest)
);
comment on table spoor.answer is 'A mail that refers to a tracked one: a reply, an automatic reply, a bounce and their kin. Arriving twice it is still one row.';
comment on column spoor.answer.message is 'The tracked mail.';
comment on column spoor.answer.digest is 'SHA-256 of its Message-ID, or of From, Date, Subject and In-Reply-To without one.';
comment on column spoor.answer.at_time is 'When it arrived.';
comment on column spoor.answer.record is 'Record of its event.';
comment on column spoor.answer.spool is 'Spool of its event.';
comment on column spoor.answer.recipient is 'Key of the recipient in the token it names; 0: one of the recipients.';
comment on column spoor.answer.answerer_key is 'Key of the address in From.';
comment on column spoor.answer.class is 'What kind of mail it is.';
comment on column spoor.answer.rung is 'Where it names the tracked mail.';
comment on column spoor.answer.confidence is 'How certain that is.';
comment on column spoor.answer.answerer is 'Whether From was a recipient.';
comment on column spoor.answer.from_address is 'Address in From.';
comment on column spoor.answer.envelope_sender is 'Address in MAIL FROM.';
comment on column spoor.answer.subject is 'Subject, decoded.';
comment on column spoor.answer.message_id is 'Its own Message-ID, without brackets.';
comment on column spoor.answer.host is 'Mail server it came in at.';
comment on column spoor.answer.queue_id is 'Queue id there.';
comment on column spoor.answer.about is 'Whom a delivery report or complaint names, in normal form.';
comment on column spoor.answer.status is 'Status code of a bounce or delay (RFC 3463); what a receipt tells: displayed, deleted, dispatched or processed (RFC 8098).';
comment on column spoor.answer.hard is 'Whether a bounce is for good; null where its status does not tell.';
comment on column spoor.answer.text is 'What a person wrote in a reply, without the quoted history; null unless a sink or keep_reply_text asks for it.';
comment on column spoor.answer.effect is 'Whether the one it is about was a recipient of the mail, as far as that was known when it came; spoor.answer_effect() has the last word.';

create table spoor.campaign_refusal (
    campaign text not null,
    address text not null,
    digest bytea not null check (octet_length(digest) = 32),
    at_time timestamptz not null,
    record bigint not null,
    spool smallint not null,
    message bigint,
    reason text not null,
    owner text,
    sender text,
    subject text,
    message_id text,
    host text,
    queue_id text,
    primary key (campaign, address, digest)
);
create index campaign_refusal_record on spoor.campaign_refusal (record, spool);
create index campaign_refusal_owner on spoor.campaign_refusal (owner) where message is null;
comment on table spoor.campaign_refusal is 'Campaign mail that did not go to somebody because of a stop: one row a mail and person, however often it was tried.';
comment on column spoor.campaign_refusal.campaign is 'The campaign.';
comment on column spoor.campaign_refusal.address is 'Who did not get it.';
comment on column spoor.campaign_refusal.digest is 'Tells the mail, as in spoor.answer.';
comment on column spoor.campaign_refusal.at_time is 'First attempt.';
comment on column spoor.campaign_refusal.record is 'Record of its event.';
comment on column spoor.campaign_refusal.spool is 'Spool of its event.';
comment on column spoor.campaign_refusal.message is 'The mail, where others got it and it was tracked.';
comment on column spoor.campaign_refusal.reason is 'What had ended the campaign, a word of spoor.stop_reason.';
comment on column spoor.campaign_refusal.owner is 'Whose mail it was.';
comment on column spoor.campaign_refusal.sender is 'Address in From.';
comment on column spoor.campaign_refusal.subject is 'Subject, decoded; null where the mail was not to be tracked.';
comment on column spoor.campaign_refusal.message_id is 'Message-ID that the mail came with, without brackets.';
comment on column spoor.campaign_refusal.host is 'Mail server that refused it.';
comment on column spoor.campaign_refusal.queue_id is 'Queue id there.';

create table spoor.rejected (
    spool smallint not null,
    record bigint not null,
    rejected_at timestamptz not null default now(),
    kind smallint not null,
    version smallint not null,
    reason text not null,
    payload bytea not null,
    primary key (spool, record)
);
comment on table spoor.rejected is 'Records that the database would not take, set aside so that the rest goes on.';
comment on column spoor.rejected.spool is 'Spool it came from.';
comment on column spoor.rejected.record is 'Position in the spool.';
comment on column spoor.rejected.rejected_at is 'When it was set aside.';
comment on column spoor.rejected.kind is 'Kind of the record: 1 message, 2 hit, 3 answer, 4 stop, 5 unsubscribe, 6 refusal, 7 delivery, 9 copy.';
comment on column spoor.rejected.version is 'Version of the payload.';
comment on column spoor.rejected.reason is 'What the database or the decoder said.';
comment on column spoor.rejected.payload is 'The bytes.';

create table spoor.batch (
    number bigint generated always as identity primary key,
    spool smallint not null,
    first_record bigint not null,
    last_record bigint not null,
    records integer not null,
    loaded_at timestamptz not null default now(),
    first_at timestamptz not null default '-infinity',
    last_at timestamptz not null default 'infinity'
);
-- in the order in which an event's batch is found: see spoor.feed_by_mail()
create index batch_spool on spoor.batch (spool, last_record, first_record desc, number desc);
comment on table spoor.batch is 'What was loaded together. Numbers appear in the order of the commits, so a reader that has seen a number has seen all before. A hit whose key came later has a row of its own within an older one: it belongs to the newer.';
comment on column spoor.batch.number is 'The counter.';
comment on column spoor.batch.spool is 'Spool it came from. 0: later verdicts, and the records are numbers of spoor.event_verdict.';
comment on column spoor.batch.first_record is 'Position of the first record.';
comment on column spoor.batch.last_record is 'Position of the last record.';
comment on column spoor.batch.records is 'How many records it held.';
comment on column spoor.batch.loaded_at is 'When the transaction began.';
comment on column spoor.batch.first_at is 'When the first of its events happened, so that they are looked for in few partitions; infinity: it brought none; -infinity: nobody said.';
comment on column spoor.batch.last_at is 'When the last of its events happened; -infinity: it brought none; infinity: nobody said.';
