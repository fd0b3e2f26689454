-- SPDX-License-Identifier: BSD-2-Clause
-- Who wants no more: who gets no campaign mail at all, from one owner or from anybody, and how they asked for it.

create table spoor.suppression (
    id bigint generated always as identity primary key,
    address text not null check (address <> ''),
    owner text,
    reason spoor.stop_reason not null default 'unsubscribe',
    since timestamptz not null default now(),
    lifted_at timestamptz
);
create unique index suppression_address on spoor.suppression (address, coalesce(owner, ''));
comment on table spoor.suppression is 'Who gets no campaign mail at all, from one owner or from anybody.';
comment on column spoor.suppression.id is 'Counts them.';
comment on column spoor.suppression.address is 'Address in normal form.';
comment on column spoor.suppression.owner is 'Whose campaigns; null: all.';
comment on column spoor.suppression.reason is 'Why.';
comment on column spoor.suppression.since is 'Since when.';
comment on column spoor.suppression.lifted_at is 'When spoor.unsuppress() took it back, or said so before any was known: what was asked for earlier, and comes late, has no effect. Null: it holds.';

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
    outcome spoor.found;
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
    if cardinality(concerned) = 0 then
        return 0;
    end if;
    outcome.what := case when asked.way = 'tracking' then 'tracking' else 'unsubscribe' end;
    outcome.message := asked.message;
    outcome.addresses := concerned;
    outcome.campaign := named;
    outcome.owner := sender;
    outcome.everywhere := asked.everywhere;
    outcome.since := least(asked.at_time, now());
    if asked.way = 'tracking' and not spoor.is_first() then
        perform spoor.forget_views(one) from unnest(concerned) one;
    end if;
    perform spoor.find_out(outcome);
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

-- For people

create function spoor.suppressed_owner(owner text) returns text
    language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if btrim(owner) = '' then
        raise exception 'the owner of mail has a name'
            using errcode = 'invalid_parameter_value', hint = 'Write the sender''s address, or none for the mail of all.';
    end if;
    return spoor.normal_form(owner);
end $$;
comment on function spoor.suppressed_owner(text) is 'Whose mail somebody is to get or not to get, in normal form; null: everybody''s. Refuses an empty name.';

create function spoor.suppress(address text, owner text default null, reason spoor.stop_reason default 'unsubscribe') returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_column
begin
    insert into spoor.suppression as s (address, owner, reason)
        values (spoor.person(suppress.address), spoor.suppressed_owner(suppress.owner), suppress.reason)
        on conflict (address, coalesce(owner, '')) do update set reason = excluded.reason, since = excluded.since, lifted_at = null
            where s.lifted_at is not null;
    return found;
end $$;
comment on function spoor.suppress(text, text, spoor.stop_reason) is 'No more campaign mail to an address: from one owner, or from anybody. False when it held already.';

create function spoor.unsuppress(address text, owner text default null) returns bigint
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with asked as (select spoor.person($1) as address, spoor.suppressed_owner($2) as owner),
    held as (
        select from spoor.suppression u join asked a on u.address = a.address and u.owner is not distinct from a.owner
        where u.lifted_at is null),
    lifted as (
        insert into spoor.suppression (address, owner, reason, since, lifted_at)
            select a.address, a.owner, 'manual', now(), now() from asked a
            on conflict (address, coalesce(owner, '')) do update set lifted_at = excluded.lifted_at),
    resumed as (
        update spoor.campaign_stop s set resumed_at = now() from asked a
        where s.address = a.address and s.reason = 'unsubscribe' and s.resumed_at is null
              and (a.owner is null or s.owner = a.owner))
    select count(*) from held $$;
comment on function spoor.unsuppress(text, text) is 'Takes spoor.suppress() with the same words, or what somebody asked for himself, back; gives how many. Campaigns that ended because the person unsubscribed go on: those of the owner, or all of them. What was asked for before, and comes later from a spool or another server, changes nothing any more.';

create view spoor.unsubscribe_report as
select u.at_time, r.address, m.owner, u.everywhere, u.way, u.message, m.campaign, m.subject
from spoor.unsubscribe u
join spoor.recipient r on r.message = u.message and (u.address = r.address or (u.address = '' and u.key = r.key))
join spoor.message m on m.id = u.message
where u.way <> 'tracking';
comment on view spoor.unsubscribe_report is 'Each time that somebody asked for no more mail of campaigns, and with which mail. Who gets none now: spoor.suppressions().';
comment on column spoor.unsubscribe_report.at_time is 'When it was asked.';
comment on column spoor.unsubscribe_report.address is 'Who asked.';
comment on column spoor.unsubscribe_report.owner is 'Owner of the mail.';
comment on column spoor.unsubscribe_report.everywhere is 'Whether it holds for the mail of all senders.';
comment on column spoor.unsubscribe_report.way is 'How.';
comment on column spoor.unsubscribe_report.message is 'The mail.';
comment on column spoor.unsubscribe_report.campaign is 'Its campaign.';
comment on column spoor.unsubscribe_report.subject is 'Its subject.';

create function spoor.suppressions(address text default null)
    returns table (address text, owner text, reason spoor.stop_reason, since timestamptz, way spoor.unsubscribe_way,
                   asked integer, campaign text, subject text)
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select s.address, s.owner, s.reason, s.since, a.way, a.asked, a.campaign, a.subject
    from spoor.suppression s
    left join lateral (
        select (count(*) over ())::integer as asked, u.way, u.campaign, u.subject
        from spoor.unsubscribe_report u
        where u.address = s.address and (u.owner = s.owner or (s.owner is null and u.everywhere))
        order by u.at_time limit 1) a on true
    where s.lifted_at is null and ($1 is null or strpos(s.address, lower(btrim($1))) > 0)
    order by s.since desc, s.id desc $$;
comment on function spoor.suppressions(text) is 'Who gets no mail of campaigns, newest first: from which owner (null: from anybody), why and since when; and for who asked so, how and with which mail first, and how often. With a part of an address: those that hold it. spoor.unsuppress(address, owner) lets one in again. Of several servers this one knows how and with which mail of its own mails only; spoor_all.suppressions() of all.';

grant execute on function spoor.take_unsubscribe(bigint, text, integer, spoor.unsubscribe_way, boolean, timestamptz, smallint, bigint)
    to spoor_milter, spoor_pixeld;
