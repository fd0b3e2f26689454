-- SPDX-License-Identifier: BSD-2-Clause
-- Campaigns: which mails belong together, for whom they have ended, and who gets none at all.

create type spoor.stop_reason as enum ('reply', 'bounce', 'complaint', 'auto_reply', 'unsubscribe', 'manual');
comment on type spoor.stop_reason is 'Why a campaign ended or pauses for somebody; auto_reply is a pause.';

create table spoor.campaign (
    name text primary key check (name <> ''),
    created_at timestamptz not null default now()
);
comment on table spoor.campaign is 'Mails that carry the same X-Spoor-Campaign.';
comment on column spoor.campaign.name is 'As a person reads it in the header: unfolded and decoded, 200 bytes at most.';
comment on column spoor.campaign.created_at is 'When its first mail or stop came.';

alter table spoor.recipient add column copied boolean not null default false;
comment on column spoor.recipient.copied is 'Stands in Cc of a campaign''s mail: whose answer ends the campaign for all recipients of that mail.';

create index message_campaign on spoor.message (campaign) where campaign is not null;

create function spoor.domain_of(address text) returns text
    language sql immutable strict parallel safe
    as $$ select substring(address from '[^@]*$') $$;
comment on function spoor.domain_of(text) is 'What stands behind the last @; all of it without one.';

create table spoor.campaign_stop (
    id bigint generated always as identity primary key,
    campaign text not null references spoor.campaign,
    address text not null check (address <> ''),
    domain text not null,
    reason spoor.stop_reason not null,
    since timestamptz not null,
    until timestamptz,
    message bigint,
    digest bytea,
    resumed_at timestamptz,
    unique (campaign, address, message, digest)
);
create index campaign_stop_address on spoor.campaign_stop (campaign, address) where resumed_at is null;
create index campaign_stop_domain on spoor.campaign_stop (campaign, domain) where resumed_at is null;
create index campaign_stop_message on spoor.campaign_stop (message);
comment on table spoor.campaign_stop is 'For whom a campaign has ended or pauses. Stops are by address, for a key is unique within one mail only.';
comment on column spoor.campaign_stop.id is 'Counts the stops.';
comment on column spoor.campaign_stop.campaign is 'The campaign.';
comment on column spoor.campaign_stop.address is 'Who gets no more of it: an address in normal form, or a domain for everybody there.';
comment on column spoor.campaign_stop.domain is 'Domain of the address.';
comment on column spoor.campaign_stop.reason is 'What ended it.';
comment on column spoor.campaign_stop.since is 'When the answer came, or somebody said so.';
comment on column spoor.campaign_stop.until is 'End of a pause; null for a stop.';
comment on column spoor.campaign_stop.message is 'The mail that was answered; null when it was no answer.';
comment on column spoor.campaign_stop.digest is 'The answer, as in spoor.answer.';
comment on column spoor.campaign_stop.resumed_at is 'When spoor.resume_campaign() took it back.';

create table spoor.campaign_member (
    message bigint not null,
    digest bytea not null,
    primary key (message, digest)
);
comment on table spoor.campaign_member is 'To whom a campaign''s mail went whose recipients are not named, so that nobody else can be stopped by an answer.';
comment on column spoor.campaign_member.message is 'The mail.';
comment on column spoor.campaign_member.digest is 'SHA-256 of the address.';

create table spoor.pending_stop (
    message bigint not null,
    digest bytea not null,
    address text not null,
    key integer not null,
    reason spoor.stop_reason not null,
    others boolean not null,
    since timestamptz not null,
    until timestamptz,
    primary key (message, digest, reason)
);
comment on table spoor.pending_stop is 'Answers whose mail is not in the database yet: they stop its campaign as soon as it is. After a week they go.';
comment on column spoor.pending_stop.message is 'The mail that was answered.';
comment on column spoor.pending_stop.digest is 'The answer, as in spoor.answer.';
comment on column spoor.pending_stop.address is 'Whom it concerns; empty: nobody is named.';
comment on column spoor.pending_stop.key is 'Key of the recipient in the token; 0: one of them.';
comment on column spoor.pending_stop.reason is 'What the answer is.';
comment on column spoor.pending_stop.others is 'Whether an answer from another address counts.';
comment on column spoor.pending_stop.since is 'When it came.';
comment on column spoor.pending_stop.until is 'End of a pause.';

create table spoor.suppression (
    id bigint generated always as identity primary key,
    address text not null check (address <> ''),
    owner text,
    reason spoor.stop_reason not null default 'unsubscribe',
    since timestamptz not null default now()
);
create unique index suppression_address on spoor.suppression (address, coalesce(owner, ''));
comment on table spoor.suppression is 'Who gets no campaign mail at all, from one owner or from anybody.';
comment on column spoor.suppression.id is 'Counts them.';
comment on column spoor.suppression.address is 'Address in normal form.';
comment on column spoor.suppression.owner is 'Whose campaigns; null: all.';
comment on column spoor.suppression.reason is 'Why.';
comment on column spoor.suppression.since is 'Since when.';

create type spoor.unsubscribe_way as enum ('web', 'mail', 'tracking');
comment on type spoor.unsubscribe_way is 'How somebody asked for no more mail: at the page behind the link, which one click in a mail program uses too, or by a mail; or tracking: on the web, that not the mails are to stop but what is told of them.';

create table spoor.unsubscribe (
    message bigint not null,
    address text not null,
    key integer not null,
    at_time timestamptz not null,
    way spoor.unsubscribe_way not null,
    everywhere boolean not null,
    effect integer,
    spool smallint,
    record bigint,
    primary key (message, address, key, at_time)
);
create index unsubscribe_pending on spoor.unsubscribe (message) where effect is null;
comment on table spoor.unsubscribe is 'Who asked for no more mail of campaigns, each time it was asked. What follows is in spoor.suppression and spoor.campaign_stop.';
comment on column spoor.unsubscribe.message is 'The mail that it was asked with.';
comment on column spoor.unsubscribe.address is 'Address in From of the mail that asks; empty on the web.';
comment on column spoor.unsubscribe.key is 'Key of the recipient in the link or the address that was written to; of that From, when there it is none.';
comment on column spoor.unsubscribe.at_time is 'When it was asked.';
comment on column spoor.unsubscribe.way is 'How.';
comment on column spoor.unsubscribe.everywhere is 'Whether it holds for the mail of all senders.';
comment on column spoor.unsubscribe.effect is 'How many recipients of the mail it concerns; 0 when who asked is none of them. Null: the mail, or the copy of who asked, is not in the database yet.';
comment on column spoor.unsubscribe.spool is 'Spool of its event; null until that is loaded.';
comment on column spoor.unsubscribe.record is 'Record of its event.';

-- Stops, by an answer

create function spoor.is_member(message bigint, address text) returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$ select exists (select from spoor.campaign_member c
                         where c.message = $1 and c.digest = sha256(convert_to($2, 'UTF8'))) $$;
comment on function spoor.is_member(bigint, text) is 'Whether a campaign''s mail went to this address without naming it.';

create function spoor.with_originals(message bigint, addresses text[]) returns text[]
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$ select coalesce(array_agg(r.address order by r.address), '{}')
          from spoor.recipient r
          where r.message = $1
                and (r.address = any ($2)
                     or r.address in (select c.original from spoor.recipient c where c.message = $1 and c.address = any ($2))) $$;
comment on function spoor.with_originals(bigint, text[]) is 'Those of the addresses that are recipients of a mail, and the recipients to whom it was submitted for them: mail that goes to an alias reaches them until the alias gets none.';

create function spoor.stop_by_answer(message bigint, address text, key integer, reason spoor.stop_reason, others boolean,
                                     since timestamptz, until timestamptz, digest bytea) returns text
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    named text;
    nameless boolean;
    member boolean := false;
    known text[];
    concerned text[];
begin
    perform pg_advisory_xact_lock_shared(hashtext('spoor.forget'));
    if spoor.is_forgotten(address) then
        return 'no_recipient';
    end if;
    select m.campaign, m.level = 'aggregate' into named, nameless from spoor.message m where m.id = message;
    if not found then
        delete from spoor.pending_stop p where p.since < now() - interval '7 days';
        -- the id tells the mail's age: an old one is not on its way any more
        if timestamptz '2020-01-01 00:00:00+00' + (message >> 22) * interval '1 millisecond' < now() - interval '7 days' then
            return 'unknown';
        end if;
        insert into spoor.pending_stop (message, digest, address, key, reason, others, since, until)
            values (message, digest, address, key, reason, others, since, until) on conflict do nothing;
        return 'unknown';
    end if;
    if named is null then
        return 'no_campaign';
    end if;
    select array_agg(r.address order by r.address),
           array_agg(r.address order by r.address) filter (where r.address = address)
        into known, concerned
        from spoor.recipient r where r.message = message;
    if nameless or concerned is null then
        member := spoor.is_member(message, address);
    end if;
    if nameless or member then
        -- who is not named answers only for himself
        concerned := case when member then array[address] end;
    elsif concerned is not null then
        -- who is away or whose mailbox is full does not speak for an alias
        if reason in ('reply', 'complaint') then
            concerned := spoor.with_originals(message, concerned);
        end if;
        -- somebody in Cc speaks for the mail
        if reason = 'reply' and exists (select from spoor.recipient r
                                        where r.message = message and r.address = any (concerned) and r.copied) then
            concerned := known;
        end if;
    elsif reason = 'reply' and not spoor.may_be_named(address) and spoor.may_be_named('') then
        -- somebody with a copy of his own of whom nothing is recorded; where that is everybody it tells nothing
        concerned := array[address];
    elsif reason = 'reply' then
        concerned := case when others then known end;
    elsif address = '' or reason = 'auto_reply' then
        -- nobody is named, or a mailbox elsewhere answers for it: the signed key tells, if it stands for one
        select array_agg(r.address) into concerned from spoor.recipient r
            where r.message = message and (r.key = key and key <> 0 or cardinality(known) = 1);
        concerned := case when cardinality(concerned) = 1 then concerned end;
    end if;
    if coalesce(cardinality(concerned), 0) = 0 then
        return 'no_recipient';
    end if;
    insert into spoor.campaign (name) values (named) on conflict do nothing;
    insert into spoor.campaign_stop (campaign, address, domain, reason, since, until, message, digest)
        select named, one, spoor.domain_of(one), reason, since, until, message, digest
        from unnest(concerned) one on conflict do nothing;
    return 'stopped';
end $$;
comment on function spoor.stop_by_answer(bigint, text, integer, spoor.stop_reason, boolean, timestamptz, timestamptz, bytea)
    is 'Ends or pauses the campaign of a mail for the recipients whom an answer concerns. Only recipients of that mail can be, and where they, or who answers, are not named only who answers; a second copy of the answer does nothing.';

-- Who wants no more

create function spoor.is_known(asked spoor.unsubscribe) returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$ select exists (
        select from spoor.message m
        where m.id = $1.message
              and (m.level = 'aggregate' or $1.address <> ''
                   or exists (select from spoor.recipient r where r.message = m.id and r.key = $1.key))) $$;
comment on function spoor.is_known(spoor.unsubscribe) is 'Whether the mail that somebody unsubscribed with is in the database, and the recipient whom the link names: a copy of his own comes by another spool than the mail.';

create function spoor.apply_unsubscribe(asked spoor.unsubscribe) returns integer
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    sender text;
    named text;
    nameless boolean;
    concerned text[];
begin
    select m.owner, m.campaign, m.level = 'aggregate' into sender, named, nameless from spoor.message m where m.id = asked.message;
    if not found or not spoor.is_known(asked) then
        -- the id tells the mail's age: an old one does not come any more
        return case when timestamptz '2020-01-01 00:00:00+00' + (asked.message >> 22) * interval '1 millisecond'
                         < now() - interval '30 days' then 0 end;
    end if;
    if nameless then
        concerned := array(select asked.address where spoor.is_member(asked.message, asked.address));
    elsif asked.address <> '' then
        concerned := array(select r.address from spoor.recipient r
                           where r.message = asked.message and r.address = asked.address);
        if cardinality(concerned) = 0 then -- forwarded: the key of the only one who got the address tells
            concerned := array(select r.address from spoor.recipient r
                               where r.message = asked.message and r.key = asked.key and asked.key <> 0);
        end if;
        concerned := spoor.with_originals(asked.message, concerned)
                     || array(select asked.address where spoor.is_member(asked.message, asked.address));
    else
        -- two addresses of one mail with one key: both, for who asked must get no more, and the other can be let in again
        concerned := array(select r.address from spoor.recipient r
                           where r.message = asked.message and r.key = asked.key and asked.key <> 0);
        concerned := spoor.with_originals(asked.message, concerned);
    end if;
    if asked.way = 'tracking' then
        perform spoor.stop_tracking(one, asked.message, asked.at_time) from unnest(concerned) one;
        return cardinality(concerned);
    end if;
    insert into spoor.suppression (address, owner, reason, since)
        select one, case when asked.everywhere then null else sender end, 'unsubscribe', least(asked.at_time, now())
        from unnest(concerned) one on conflict do nothing;
    insert into spoor.campaign_stop (campaign, address, domain, reason, since, message)
        select c.name, one, spoor.domain_of(one), 'unsubscribe', least(asked.at_time, now()), asked.message
        from unnest(concerned) one join spoor.campaign c on c.name = named
        where not exists (select from spoor.campaign_stop s where s.campaign = named and s.address = one
                          and s.reason = 'unsubscribe' and s.resumed_at is null);
    return cardinality(concerned);
end $$;
comment on function spoor.apply_unsubscribe(spoor.unsubscribe) is 'Suppresses whom a request names and ends the campaign for them; gives how many, or null while the mail is not known. Only recipients of that mail can be concerned.';

create function spoor.take_unsubscribe(message bigint, address text, key integer, way spoor.unsubscribe_way,
                                       everywhere boolean, at_time timestamptz, spool smallint, record bigint) returns text
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    asked spoor.unsubscribe;
begin
    perform pg_advisory_xact_lock_shared(hashtext('spoor.forget'));
    if address <> '' and spoor.is_forgotten(address) then
        return 'no_recipient';
    end if;
    insert into spoor.unsubscribe as u (message, address, key, at_time, way, everywhere, spool, record)
        values (message, address, key, at_time, way, everywhere, spool, case when spool is not null then record end)
        on conflict do nothing returning u.* into asked;
    if found then
        asked.effect := spoor.apply_unsubscribe(asked);
        update spoor.unsubscribe u set effect = asked.effect
            where u.message = message and u.address = address and u.key = key and u.at_time = at_time;
    else
        -- told before by the program, now by its spool: the event is new all the same
        update spoor.unsubscribe u set spool = spool, record = record
            where u.message = message and u.address = address and u.key = key and u.at_time = at_time
                  and u.spool is null and spool is not null
            returning u.* into asked;
        if not found then
            return 'repeated';
        end if;
    end if;
    if way = 'tracking' then
        return 'no_event';
    end if;
    return case asked.effect when 0 then 'no_recipient' else case when asked.effect is null then 'unknown' else 'unsubscribed' end end;
end $$;
comment on function spoor.take_unsubscribe(bigint, text, integer, spoor.unsubscribe_way, boolean, timestamptz, smallint, bigint)
    is 'Somebody asks for no more mail of campaigns: unsubscribed; no_recipient when nobody of that mail is concerned; unknown while the mail is not in the database: it takes effect as soon as it is; repeated for what was told before; no_event for who wants no tracking.';

create function spoor.settle_stops() returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    pending spoor.pending_stop;
    asked spoor.unsubscribe;
begin
    perform pg_advisory_xact_lock(hashtext('spoor.settle_stops'));
    for pending in delete from spoor.pending_stop p
                   where exists (select from spoor.message m where m.id = p.message) returning p.* loop
        perform spoor.stop_by_answer(pending.message, pending.address, pending.key, pending.reason, pending.others,
                                     pending.since, pending.until, pending.digest);
    end loop;
    for asked in select u.* from spoor.unsubscribe u
                 where u.effect is null and spoor.is_known(u) for update loop
        update spoor.unsubscribe u set effect = spoor.apply_unsubscribe(asked)
            where u.message = asked.message and u.address = asked.address and u.key = asked.key and u.at_time = asked.at_time;
    end loop;
end $$;
comment on function spoor.settle_stops() is 'Stops the campaigns of mails that came into the database later than their answers, and lets requests for no more mail take effect that came earlier than their mails.';

-- Admission: each campaign mail asks before it goes

create type spoor.block as (address text, reason spoor.stop_reason, since timestamptz, until timestamptz);
comment on type spoor.block is 'Somebody whom a campaign does not reach: since when and why, and until when if it only pauses.';

create function spoor.blocks(campaign text, owner text, addresses text[], by_domain boolean) returns setof spoor.block
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select distinct on (wanted) wanted, b.reason, b.since, b.until
    from unnest(addresses) wanted
    cross join lateral (
        select s.reason, s.since, s.until from spoor.campaign_stop s
            where s.campaign = $1 and s.address in (wanted, spoor.domain_of(wanted)) and s.resumed_at is null
        union all
        select s.reason, s.since, s.until from spoor.campaign_stop s
            where by_domain and s.campaign = $1 and s.domain = spoor.domain_of(wanted) and s.resumed_at is null
                  and s.reason in ('reply', 'complaint')
        union all
        select u.reason, u.since, null from spoor.suppression u
            where u.address = wanted and (u.owner is null or u.owner = $2)
        union all
        select 'unsubscribe', f.forgotten_at, null from spoor.forgotten f
            where f.suppressed and f.remembered_at is null and f.digest = spoor.forget_digest(wanted)) b
    where b.until is null or b.until > now()
    order by wanted, b.until desc nulls first, b.since $$;
comment on function spoor.blocks(text, text, text[], boolean) is 'Which of the addresses a campaign has ended for (until is null) or pauses for.';

create function spoor.admit(id bigint, sent_at timestamptz, size bigint, level spoor.tracking_level, pixels smallint,
                            owner text, sender text, envelope_sender text, subject text, sent_message_id text,
                            client_message_id text, campaign text, host text, queue_id text, sent_to integer,
                            addresses text[], keys integer[], copied boolean[], notes integer[], by_domain boolean,
                            pause_max interval)
    returns setof spoor.block
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_column
declare
    blocked spoor.block[];
begin
    if exists (select from spoor.pending_stop p join spoor.message m on m.id = p.message)
       or exists (select from spoor.unsubscribe u where u.effect is null and spoor.is_known(u)) then
        perform spoor.settle_stops();
    end if;
    perform pg_advisory_xact_lock_shared(hashtext('spoor.forget'));
    insert into spoor.campaign (name) values (admit.campaign) on conflict do nothing;
    blocked := array(select b from spoor.blocks(admit.campaign, admit.owner, admit.addresses, by_domain) b);
    -- A mail that nobody gets now comes again under another number; who is away for too long gets it all the same.
    if admit.id is not null and cardinality(addresses) > (select count(*) from unnest(blocked) b
                                                          where b.until is null or b.until <= now() + pause_max) then
        insert into spoor.message (id, sent_at, size, level, pixels, owner, sender, envelope_sender, subject,
                                   sent_message_id, client_message_id, campaign, host, queue_id, sent_to)
            values (admit.id, admit.sent_at, admit.size, admit.level, admit.pixels, admit.owner, admit.sender,
                    admit.envelope_sender, admit.subject, admit.sent_message_id, admit.client_message_id,
                    admit.campaign, admit.host, admit.queue_id,
                    admit.sent_to - (select count(*) from unnest(blocked) b where b.until is null))
            on conflict (id) do nothing;
        insert into spoor.recipient (message, address, key, copied)
            select admit.id, r.address, r.key, r.copied
            from unnest(addresses, keys, admit.copied, notes) as r (address, key, copied, note)
            where admit.level = 'individual' and r.note = 2 and not spoor.is_forgotten(r.address)
                  and not exists (select from unnest(blocked) b where b.address = r.address and b.until is null)
            on conflict (message, address) do nothing;
        insert into spoor.campaign_member (message, digest)
            select admit.id, sha256(convert_to(r.address, 'UTF8')) from unnest(addresses, notes) as r (address, note)
            where admit.level = 'aggregate' or r.note = 1
            on conflict (message, digest) do nothing;
    else
        delete from spoor.attachment a where a.message = admit.id; -- its files were stored before
    end if;
    return query select * from unnest(blocked);
end $$;
comment on function spoor.admit(bigint, timestamptz, bigint, spoor.tracking_level, smallint, text, text, text, text, text,
                                text, text, text, text, integer, text[], integer[], boolean[], integer[], boolean, interval)
    is 'Asked by spoor-stamp before campaign mail goes: records mail, campaign and recipients and gives the addresses that are stopped or paused, in one transaction. Without an id nothing of the mail is recorded. Of each recipient a note says how far: 2 by name, 1 only a digest by which an answer still stops the campaign, 0 not at all.';

-- For people

create function spoor.stop_campaign(campaign text, address text, reason spoor.stop_reason default 'manual') returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
begin
    insert into spoor.campaign (name) values (campaign) on conflict do nothing;
    insert into spoor.campaign_stop (campaign, address, domain, reason, since)
        values (campaign, lower(btrim(address)), spoor.domain_of(lower(btrim(address))), reason, now());
end $$;
comment on function spoor.stop_campaign(text, text, spoor.stop_reason) is 'Ends a campaign for an address, or for all of a domain: no more of its mail goes there.';

create function spoor.resume_campaign(campaign text, address text) returns bigint
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with resumed as (
        update spoor.campaign_stop s set resumed_at = now()
        where s.campaign = $1 and s.resumed_at is null
              and case when strpos($2, '@') > 0 then s.address = lower(btrim($2)) else s.domain = lower(btrim($2)) end
        returning 1)
    select count(*) from resumed $$;
comment on function spoor.resume_campaign(text, text) is 'Takes back all stops and pauses of a campaign for an address, or for a domain and all of its addresses; gives how many.';

create function spoor.suppress(address text, owner text default null, reason spoor.stop_reason default 'unsubscribe') returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$ insert into spoor.suppression (address, owner, reason)
          values (lower(btrim($1)), lower(btrim($2)), $3) on conflict do nothing $$;
comment on function spoor.suppress(text, text, spoor.stop_reason) is 'No more campaign mail to an address: from one owner, or from anybody.';

create function spoor.unsuppress(address text, owner text default null) returns bigint
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with gone as (
        delete from spoor.suppression u
        where u.address = lower(btrim($1)) and u.owner is not distinct from lower(btrim($2)) returning 1),
    resumed as (
        update spoor.campaign_stop s set resumed_at = now()
        where s.address = lower(btrim($1)) and s.reason = 'unsubscribe' and s.resumed_at is null
              and ($2 is null or exists (select from spoor.message m where m.id = s.message and m.owner = lower(btrim($2)))))
    select count(*) from gone $$;
comment on function spoor.unsuppress(text, text) is 'Takes spoor.suppress() with the same words, or what somebody asked for himself, back; gives how many. Campaigns that ended because the person unsubscribed go on: those of the owner, or all of them.';

create function spoor.suppressions(address text default null)
    returns table (address text, owner text, reason spoor.stop_reason, since timestamptz, way spoor.unsubscribe_way,
                   asked integer, campaign text, subject text)
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select s.address, s.owner, s.reason, s.since, a.way, a.asked, a.campaign, a.subject
    from spoor.suppression s
    left join lateral (
        select (count(*) over ())::integer as asked, u.way, m.campaign, m.subject
        from spoor.recipient r
        join spoor.unsubscribe u on u.message = r.message and u.way <> 'tracking' and (u.address = r.address or (u.address = '' and u.key = r.key))
        join spoor.message m on m.id = r.message
        where r.address = s.address and (m.owner = s.owner or (s.owner is null and u.everywhere))
        order by u.at_time limit 1) a on true
    where $1 is null or strpos(s.address, lower(btrim($1))) > 0
    order by s.since desc, s.id desc $$;
comment on function spoor.suppressions(text) is 'Who gets no mail of campaigns, newest first: from which owner (null: from anybody), why and since when; and for who asked so, how and with which mail first, and how often. With a part of an address: those that hold it. spoor.unsuppress(address, owner) lets one in again.';

comment on column spoor.rejected.kind is 'Kind of the record: 1 message, 2 hit, 3 answer, 4 stop, 5 unsubscribe, 6 refusal, 7 delivery, 9 copy.';

revoke all on all functions in schema spoor from public;
grant execute on function spoor.admit(bigint, timestamptz, bigint, spoor.tracking_level, smallint, text, text, text, text, text,
                                      text, text, text, text, integer, text[], integer[], boolean[], integer[], boolean, interval),
    spoor.stop_by_answer(bigint, text, integer, spoor.stop_reason, boolean, timestamptz, timestamptz, bytea),
    spoor.settle_stops() to spoor_milter;
grant execute on function spoor.take_unsubscribe(bigint, text, integer, spoor.unsubscribe_way, boolean, timestamptz, smallint,
                                                 bigint) to spoor_milter, spoor_pixeld;
grant select on all tables in schema spoor to spoor_admin;
grant execute on all functions in schema spoor to spoor_admin;
