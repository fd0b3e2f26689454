-- SPDX-License-Identifier: BSD-2-Clause
-- Forgetting a person: here, in the spools on the hosts, and on other servers.

create table spoor.forgotten_recipient (
    message bigint not null,
    key integer not null,
    primary key (message, key)
);
comment on table spoor.forgotten_recipient is 'Under which keys people who are forgotten, or have stopped tracking, had their mails: views and clicks under these are not taken any more.';
comment on column spoor.forgotten_recipient.message is 'The mail.';
comment on column spoor.forgotten_recipient.key is 'Key of the recipient; 0: the mail was theirs alone, and all of it is gone.';

create view spoor.erasure as
select f.number,
       f.forgotten_at,
       p.spool,
       p.program,
       p.host,
       greatest(p.updated_at, p.entered_at) as last_seen
from spoor.forgotten f
join spoor.spool_progress p on p.forgotten < f.number and p.retired_at is null
where f.remembered_at is null
union all
select o.forgotten, o.ordered_at, null, 'shard ' || s.number, null, null
from spoor.erasure_order o
join spoor.server s on not exists (select from spoor.erasure_done d where d.number = o.number and d.shard = s.number)
where o.what = 'forget'
order by number, program, host, spool;
comment on view spoor.erasure is 'Which programs may still hold something of somebody who is forgotten, in the spool on their disk; empty when none does. One that is gone for good is taken out by spoor.retire_spool().';
comment on column spoor.erasure.number is 'As in spoor.forgotten.';
comment on column spoor.erasure.forgotten_at is 'When the person was forgotten.';
comment on column spoor.erasure.spool is 'The spool.';
comment on column spoor.erasure.program is 'Program that writes it; or a server that has still to erase what it holds, whose own spools are in its own spoor.erasure.';
comment on column spoor.erasure.host is 'Host on which it lies.';
comment on column spoor.erasure.last_seen is 'When it was last heard of.';

create function spoor.delete_events(messages bigint[], key integer default null, also_answers boolean default true,
                                    since timestamptz default '-infinity') returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    gone bigint;
begin
    with event as (
        delete from spoor.event e where e.message = any (messages) and e.at_time >= since
              and (delete_events.key is null or e.recipient = delete_events.key)
              and (also_answers or strpos('nopdbwtamlxrfuU', e.kind::text) = 0)
        returning e.spool, e.record),
    verdict as (delete from spoor.event_verdict v using event e where v.spool = e.spool and v.record = e.record),
    clock as (delete from spoor.event_clock c using event e where c.spool = e.spool and c.record = e.record),
    page as (delete from spoor.document_event d using event e where d.spool = e.spool and d.record = e.record),
    mark as (delete from spoor.event_device d using event e where d.spool = e.spool and d.record = e.record)
    select count(*) into gone from event;
    delete from spoor.document_view d
        where d.message = any (messages) and (delete_events.key is null or d.recipient = delete_events.key);
    return gone;
end $$;
comment on function spoor.delete_events(bigint[], integer, boolean, timestamptz) is 'Deletes what happened to some mails since a time, to one recipient or to all, with the verdicts on it and what was read of documents; gives how many events.';

create function spoor.delete_mails(messages bigint[], since timestamptz default '-infinity') returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    perform spoor.delete_events(messages, since => since);
    delete from spoor.recipient r where r.message = any (messages);
    delete from spoor.link l where l.message = any (messages);
    delete from spoor.answer a where a.message = any (messages);
    delete from spoor.campaign_refusal f where f.message = any (messages);
    delete from spoor.campaign_member c where c.message = any (messages);
    delete from spoor.pending_stop p where p.message = any (messages);
    delete from spoor.unsubscribe u where u.message = any (messages);
    delete from spoor.delivery d where d.message = any (messages);
    delete from spoor.expansion x where x.message = any (messages);
    delete from spoor.message_queue q where q.message = any (messages);
    delete from spoor.message_alias a where a.message = any (messages);
    delete from spoor.outbox o where o.message = any (messages);
    delete from spoor.outbox_early o where o.message = any (messages);
    delete from spoor.attachment a where a.message = any (messages);
    -- also what no link shows any more for another reason, such as spoor.replace_document()
    delete from spoor.document d where not exists (select from spoor.attachment a where a.document = d.id);
    delete from spoor.message m where m.id = any (messages);
    return cardinality(messages);
end $$;
comment on function spoor.delete_mails(bigint[], timestamptz) is 'Deletes mails with all that is known of them, and the documents that nobody else was sent; of events those since a time, where the months before it are dropped. Stops of campaigns stay.';

create function spoor.forget_views(whose text) returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    sent record;
    gone bigint := 0;
begin
    for sent in select r.message, r.key from spoor.recipient r where r.address = whose and r.key <> 0 loop
        insert into spoor.forgotten_recipient values (sent.message, sent.key) on conflict do nothing;
        gone := gone + spoor.delete_events(array[sent.message], sent.key, also_answers => false);
    end loop;
    return gone;
end $$;
comment on function spoor.forget_views(text) is 'Deletes what an address, in normal form, viewed and clicked in mails that are here, and takes no more of it; gives how many events went.';

create function spoor.stop_tracking(address text, message bigint default null, at_time timestamptz default now()) returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    whose text := spoor.person(address);
begin
    insert into spoor.consent (address, level, given_at, way, message)
        values (whose, 'off', least(at_time, now()), case when message is null then 'administrator' else 'page' end::spoor.consent_way,
                message);
    perform spoor.order_erasure('tracking', whose);
    return spoor.forget_views(whose);
end $$;
comment on function spoor.stop_tracking(text, bigint, timestamptz) is 'A recipient wants no tracking: writes that down as consent, deletes what they viewed and clicked, and takes no more of it, also for mail already sent. Gives how many events went. The page behind the link that consent_footer adds does this.';

create function spoor.erase_global(whose text) returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    stops bigint;
begin
    delete from spoor.event_device e using spoor.device d where d.device = e.device and d.address = whose;
    delete from spoor.sender_network n where n.owner = whose;
    if not spoor.is_first() then
        -- replication has taken the person's devices away before the order to erase is followed
        delete from spoor.event_device e where not exists (select from spoor.device d where d.device = e.device);
        return 0;
    end if;
    delete from spoor.campaign_stop s where s.address = whose;
    get diagnostics stops = row_count;
    delete from spoor.suppression s where s.address = whose or s.owner = whose;
    delete from spoor.consent c where c.address = whose;
    delete from spoor.policy p where p.who = whose;
    delete from spoor.policy_campaign p where p.sender = whose;
    delete from spoor.sink_rule s where s.sender = whose;
    delete from spoor.mail_choice c where c.owner = whose or c.address = whose;
    delete from spoor.session s where s.address = whose;
    delete from spoor.device d where d.address = whose;
    delete from spoor.sender_login l where l.address = whose or l.login = whose;
    delete from spoor.sender s where s.address = whose;
    return stops;
end $$;
comment on function spoor.erase_global(text) is 'Deletes an address, in normal form, from what belongs to no mail, and what hangs on that; gives how many stops there were. For spoor.erase_person().';

create function spoor.erase_person(whose text) returns table (what text, gone bigint)
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    mails bigint[];
    shared record;
    events bigint := 0;
begin
    mails := array(
        select m.id from spoor.message m where m.owner = whose or m.sender = whose or m.envelope_sender = whose
        union
        select r.message from spoor.recipient r
        where r.address = whose and not exists (select from spoor.recipient o where o.message = r.message and o.address <> whose
                                                                                and o.original is distinct from whose));
    insert into spoor.forgotten_recipient (message, key) select id, 0 from unnest(mails) id on conflict do nothing;
    what := 'mails'; gone := coalesce(spoor.delete_mails(mails), 0); return next;

    for shared in delete from spoor.recipient r where r.address = whose or r.original = whose
                  returning r.message, case when r.address = whose then r.key else 0 end as key loop
        if shared.key <> 0 then
            insert into spoor.forgotten_recipient values (shared.message, shared.key) on conflict do nothing;
            events := events + spoor.delete_events(array[shared.message], shared.key);
        end if;
        delete from spoor.link l
            where l.message = shared.message and position(whose in replace(lower(l.destination), '%40', '@')) > 0;
    end loop;
    delete from spoor.outbox o using spoor.answer a
        where (a.from_address = whose or a.envelope_sender = whose or a.about = whose)
              and o.message = a.message and o.spool = a.spool and o.record = a.record;
    with event as (
        delete from spoor.event e using spoor.answer a
        where (a.from_address = whose or a.envelope_sender = whose or a.about = whose)
              and e.message = a.message and e.spool = a.spool and e.record = a.record returning 1)
    select events + count(*) into events from event;
    what := 'events'; gone := events; return next;

    delete from spoor.answer a where a.from_address = whose or a.envelope_sender = whose or a.about = whose;
    get diagnostics gone = row_count; what := 'answers'; return next;
    delete from spoor.campaign_refusal f where f.address = whose or f.owner = whose or f.sender = whose;
    get diagnostics gone = row_count; what := 'refusals'; return next;
    delete from spoor.delivery d where d.recipient = whose or d.address = whose or position(whose in lower(d.text)) > 0;
    delete from spoor.expansion x where x.recipient = whose or x.address = whose;
    delete from spoor.pending_delivery p
        where p.recipient = whose or p.original = whose or position(whose in lower(p.text)) > 0;
    what := 'stops'; gone := spoor.erase_global(whose); return next;
    delete from spoor.pending_stop p where p.address = whose;
    delete from spoor.unsubscribe u where u.address = whose;
    delete from spoor.found f where f.owner = whose or whose = any (f.addresses); -- whoever else is named there was told of by the insert
    delete from spoor.campaign_member c where c.digest = sha256(convert_to(whose, 'UTF8'));
    delete from spoor.outbox o where o.owner = whose or position(whose in lower(o.result)) > 0;
    delete from spoor.invitation i where i.address = whose;
    delete from spoor.sign_in_request r where r.address = whose;
    delete from spoor.rejected r where position(convert_to(whose, 'UTF8') in r.payload) > 0
                                       or position(whose in lower(r.reason)) > 0;
end $$;
comment on function spoor.erase_person(text) is 'Deletes an address, in normal form, from all tables; gives how much there was. What spoor.forget() does, once.';

create function spoor.forget(address text) returns table (what text, gone bigint)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    whose text := spoor.person(address);
    made bigint;
begin
    -- spoor.prune() deletes the same rows in another order; this lock first, for loaders wait behind the other
    perform pg_advisory_xact_lock(hashtext('spoor.prune'));
    -- waits for the loaders that are writing; the next ones know
    perform pg_advisory_xact_lock(hashtext('spoor.forget'));
    insert into spoor.forgotten as f (digest, suppressed)
        values (spoor.forget_digest(whose),
                exists (select from spoor.suppression s where s.address = whose and s.lifted_at is null)
                or exists (select from spoor.campaign_stop s where s.address = whose and s.resumed_at is null
                                                                   and s.until is null))
        on conflict on constraint forgotten_digest_key do update
            set number = default, forgotten_at = now(), remembered_at = null, suppressed = f.suppressed or excluded.suppressed
        returning f.number into made;
    perform spoor.order_erasure('forget', whose, made);
    return query select e.what, e.gone from spoor.erase_person(whose) e;
    perform pg_notify('spoor_forget', '');
end $$;
comment on function spoor.forget(text) is 'Forgets a person: deletes the address everywhere, with the mails that only they got or sent, what they did, and documents that nobody else was sent; from then on nothing about them is recorded, and mail to them is not tracked. The spools on the hosts follow, see spoor.erasure.';

create function spoor.remember(address text) returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    -- with a new number, so that all programs read the list again; the row stays, or a spool's list would bring it back
    update spoor.forgotten f set remembered_at = now(), number = default
        where f.digest = spoor.forget_digest(spoor.person(address)) and f.remembered_at is null;
    if not found then
        return false;
    end if;
    perform pg_notify('spoor_forget', '');
    return true;
end $$;
comment on function spoor.remember(text) is 'Takes spoor.forget() back for the future: mail to this address is tracked again. What was deleted stays deleted. False when nobody with this address is forgotten.';

create function spoor.apply_forgotten() returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    whose text;
    found_again bigint := 0;
begin
    perform pg_advisory_xact_lock(hashtext('spoor.prune')); -- as spoor.forget() does
    -- what is cached may be of a time that this database does not know of
    perform spoor.begin_epoch();
    if not exists (select from spoor.forgotten f where f.remembered_at is null) then
        return 0;
    end if;
    perform pg_advisory_xact_lock(hashtext('spoor.forget'));
    for whose in
        select a.address from (
            select address from spoor.recipient union select original from spoor.recipient
            union select owner from spoor.message union select sender from spoor.message
            union select envelope_sender from spoor.message union select from_address from spoor.answer
            union select about from spoor.answer union select envelope_sender from spoor.answer
            union select address from spoor.campaign_refusal union select address from spoor.campaign_stop
            union select address from spoor.suppression union select address from spoor.unsubscribe
            union select address from spoor.pending_stop union select recipient from spoor.delivery
            union select address from spoor.delivery union select recipient from spoor.pending_delivery
            union select address from spoor.consent union select who from spoor.policy
            union select address from spoor.device union select address from spoor.session
            union select address from spoor.sender union select address from spoor.sender_login
            union select owner from spoor.sender_network union select address from spoor.invitation
            union select address from spoor.sign_in_request union select original from spoor.pending_delivery
            union select owner from spoor.mail_choice union select address from spoor.mail_choice
            union select owner from spoor.suppression union select sender from spoor.policy_campaign
            union select sender from spoor.sink_rule) a
        join spoor.forgotten f on f.digest = spoor.forget_digest(a.address) and f.remembered_at is null
    loop
        perform spoor.erase_person(whose);
        found_again := found_again + 1;
    end loop;
    delete from spoor.event e using spoor.forgotten_recipient f where e.message = f.message and (f.key = 0 or e.recipient = f.key);
    return found_again;
end $$;
comment on function spoor.apply_forgotten() is 'Deletes once more all who are forgotten, for a database that was restored from a backup; gives how many were there again. spoorctl schema upgrade calls it.';

create function spoor.traces(address text) returns table (place text, rows bigint)
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    whose text := spoor.person(address);
    text_column record;
begin
    for text_column in
        select c.table_name, c.column_name, c.data_type
        from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where c.table_schema = 'spoor' and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'bytea', 'jsonb', 'json', 'ARRAY')
              and not exists (select from pg_catalog.pg_inherits i
                              where i.inhrelid = format('spoor.%I', c.table_name)::regclass)
        order by 1, 2
    loop
        execute format('select count(*) from spoor.%I where position(%L::%s in %s) > 0', text_column.table_name,
                       case when text_column.data_type = 'bytea' then convert_to(whose, 'UTF8')::text else whose end,
                       case when text_column.data_type = 'bytea' then 'bytea' else 'text' end,
                       case when text_column.data_type = 'bytea' then format('%I', text_column.column_name)
                            else format('replace(lower(%I::text), ''%%40'', ''@'')', text_column.column_name) end) into rows;
        if rows > 0 then
            place := text_column.table_name || '.' || text_column.column_name;
            return next;
        end if;
    end loop;
end $$;
comment on function spoor.traces(text) is 'Looks for an address in every text of every table, and gives where it stands and how often: nothing, once it is forgotten. Reads all of the database.';
