-- SPDX-License-Identifier: BSD-2-Clause
-- Campaigns: which mails belong together, for whom they have ended, and how an answer ends one.

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
    owner text,
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
comment on column spoor.campaign_stop.owner is 'Whose mail somebody unsubscribed with; null for other reasons.';
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
    outcome spoor.found;
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
    outcome.what := 'stop';
    outcome.message := message;
    outcome.addresses := concerned;
    outcome.campaign := named;
    outcome.reason := reason;
    outcome.since := since;
    outcome.until := until;
    outcome.digest := digest;
    perform spoor.find_out(outcome);
    return 'stopped';
end $$;
comment on function spoor.stop_by_answer(bigint, text, integer, spoor.stop_reason, boolean, timestamptz, timestamptz, bytea)
    is 'Ends or pauses the campaign of a mail for the recipients whom an answer concerns. Only recipients of that mail can be, and where they, or who answers, are not named only who answers; a second copy of the answer does nothing.';

-- For people

create function spoor.stop_whom(campaign text, who text) returns text
    language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
declare
    normal text := spoor.normal_form(who);
begin
    if coalesce(btrim(campaign), '') = '' or octet_length(campaign) > 200 then
        raise exception 'the name of a campaign has 1 to 200 bytes'
            using errcode = 'invalid_parameter_value', hint = 'table spoor.campaign_report names all that there are.';
    end if;
    if not coalesce(spoor.is_whom(normal) and normal <> '*', false) then
        raise exception '% is no address or domain', coalesce('"' || who || '"', 'null')
            using errcode = 'invalid_parameter_value', hint = 'Write somebody@example.net, or example.net for everybody there.';
    end if;
    return normal;
end $$;
comment on function spoor.stop_whom(text, text) is 'For whom a campaign is to be stopped or resumed by hand, in normal form; refuses what is no campaign''s name, no address and no domain.';

create function spoor.stop_campaign(campaign text, address text, reason spoor.stop_reason default 'manual') returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    whose text := spoor.stop_whom(campaign, address);
begin
    insert into spoor.campaign (name) values (campaign) on conflict do nothing;
    insert into spoor.campaign_stop (campaign, address, domain, reason, since)
        select campaign, whose, spoor.domain_of(whose), reason, now()
        where not exists (select from spoor.campaign_stop s where s.campaign = campaign and s.address = whose
                                                                  and s.resumed_at is null and s.until is null);
    return found;
end $$;
comment on function spoor.stop_campaign(text, text, spoor.stop_reason) is 'Ends a campaign for an address, or for all of a domain: no more of its mail goes there. False when it had ended there already.';

create trigger epoch_ends after update of resumed_at on spoor.campaign_stop for each statement execute function spoor.epoch_ends();

create function spoor.resume_campaign(campaign text, address text) returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    whose text := spoor.stop_whom(campaign, address);
    resumed bigint;
begin
    update spoor.campaign_stop s set resumed_at = now()
        where s.campaign = resume_campaign.campaign and s.resumed_at is null
              and case when strpos(whose, '@') > 0 then s.address = whose else s.domain = whose end;
    get diagnostics resumed = row_count;
    return resumed;
end $$;
comment on function spoor.resume_campaign(text, text) is 'Takes back all stops and pauses of a campaign for an address, or for a domain and all of its addresses; gives how many.';

grant execute on function spoor.stop_by_answer(bigint, text, integer, spoor.stop_reason, boolean, timestamptz, timestamptz, bytea)
    to spoor_milter;
