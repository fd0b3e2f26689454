-- SPDX-License-Identifier: BSD-2-Clause
-- Several servers, see spoor.shard: what is the same on all, what one finds out and the first must know, and what the first asks of
-- the others. How they are tied together is in the file of replication.

-- Several servers: see spoor.shard. What belongs to a mail is where the mail is; what does not is changed on the first server
-- alone, and logical replication copies it to the others, so that their functions and views find it.

create function spoor.global_tables() returns text[]
    language sql immutable parallel safe
    as $$ select array['campaign', 'campaign_stop', 'consent', 'device', 'document_setting', 'erasure_order', 'forget_salt',
                       'forgotten', 'mail_choice', 'node', 'policy', 'policy_campaign', 'retention', 'sender', 'sender_login',
                       'session', 'sink_rule', 'suppression', 'verdict_setting'] $$;
comment on function spoor.global_tables() is 'The tables that are changed on the first server alone, and copied to the others.';

create table spoor.server (
    number smallint primary key check (number between 1 and 7),
    added_at timestamptz not null default now()
);
comment on table spoor.server is 'On the first server: the others, as spoorctl schema has set them up.';
comment on column spoor.server.number is 'As in spoor.shard.';
comment on column spoor.server.added_at is 'Since when.';

-- What the server that has a mail finds out, and the first server must know: see spoor.is_first()

create table spoor.found (
    shard smallint not null,
    number bigint generated always as identity,
    found_at timestamptz not null default now(),
    what text not null check (what in ('stop', 'unsubscribe', 'tracking', 'erased')),
    message bigint,
    addresses text[],
    campaign text,
    owner text,
    everywhere boolean,
    reason spoor.stop_reason,
    since timestamptz,
    until timestamptz,
    digest bytea,
    erasure bigint,
    primary key (shard, number)
);
create index found_message on spoor.found (message);
create index found_at on spoor.found (found_at);
comment on table spoor.found is 'What answers and requests to mails of this shard end, for the first server, where it holds; replication takes it there. Empty on the first.';
comment on column spoor.found.shard is 'This server.';
comment on column spoor.found.number is 'Counts them.';
comment on column spoor.found.found_at is 'When it was found out.';
comment on column spoor.found.what is 'stop: a campaign ended by an answer; unsubscribe; tracking: somebody wants none; erased: this server has nothing any more of a person.';
comment on column spoor.found.message is 'The mail that was answered, or it was asked with.';
comment on column spoor.found.addresses is 'Whom it concerns.';
comment on column spoor.found.campaign is 'Campaign of the mail.';
comment on column spoor.found.owner is 'Owner of the mail.';
comment on column spoor.found.everywhere is 'Whether it holds for the mail of all senders.';
comment on column spoor.found.reason is 'As in spoor.campaign_stop.';
comment on column spoor.found.since is 'When the answer came, or it was asked.';
comment on column spoor.found.until is 'End of a pause.';
comment on column spoor.found.digest is 'The answer, as in spoor.answer.';
comment on column spoor.found.erasure is 'Which, as in spoor.erasure_order.';

create function spoor.apply_found(told spoor.found) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    concerned text[];
begin
    if ($1).what = 'erased' then
        perform spoor.note_erased(($1).shard, ($1).erasure);
        return;
    end if;
    perform pg_advisory_xact_lock_shared(hashtext('spoor.forget'));
    concerned := array(select one from unnest(($1).addresses) one where not spoor.is_forgotten(one));
    if ($1).what = 'tracking' then
        perform spoor.stop_tracking(one, ($1).message, ($1).since) from unnest(concerned) one
            where not exists (select from spoor.consent c where c.address = one and c.message = ($1).message and c.given_at = ($1).since);
        return;
    end if;
    if ($1).campaign is not null then
        insert into spoor.campaign (name) values (($1).campaign) on conflict do nothing;
    end if;
    if ($1).what = 'stop' then
        insert into spoor.campaign_stop (campaign, address, domain, reason, since, until, message, digest)
            select ($1).campaign, one, spoor.domain_of(one), ($1).reason, ($1).since, ($1).until, ($1).message, ($1).digest
            from unnest(concerned) one on conflict do nothing;
        return;
    end if;
    -- what spoor.unsuppress() has taken back since stays so, however late a spool or another server brings it
    insert into spoor.suppression as s (address, owner, reason, since)
        select one, case when not ($1).everywhere then ($1).owner end, 'unsubscribe', ($1).since from unnest(concerned) one
        on conflict (address, coalesce(owner, '')) do update set reason = excluded.reason, since = excluded.since, lifted_at = null
            where s.lifted_at < excluded.since;
    insert into spoor.campaign_stop (campaign, address, domain, reason, since, message, owner)
        select c.name, one, spoor.domain_of(one), 'unsubscribe', ($1).since, ($1).message, ($1).owner
        from unnest(concerned) one join spoor.campaign c on c.name = ($1).campaign
        where not exists (select from spoor.campaign_stop s where s.campaign = ($1).campaign and s.address = one
                          and s.reason = 'unsubscribe' and (s.resumed_at is null or s.resumed_at >= ($1).since))
              and not exists (select from spoor.suppression s where s.address = one and s.lifted_at >= ($1).since
                              and (s.owner is null or s.owner = ($1).owner));
end $$;
comment on function spoor.apply_found(spoor.found) is 'On the first server: what a shard has found out takes effect, once.';

create function spoor.find_out(told spoor.found) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if spoor.is_first() then
        perform spoor.apply_found($1);
    else
        insert into spoor.found (shard, what, message, addresses, campaign, owner, everywhere, reason, since, until, digest, erasure)
            select s.number, ($1).what, ($1).message, ($1).addresses, ($1).campaign, ($1).owner, ($1).everywhere, ($1).reason,
                   ($1).since, ($1).until, ($1).digest, ($1).erasure
            from spoor.shard s;
    end if;
end $$;
comment on function spoor.find_out(spoor.found) is 'Lets take effect what was found out about a mail: here, or on the first server.';

create function spoor.found_of(message bigint) returns text
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select jsonb_agg(to_jsonb(f) order by f.number)::text from spoor.found f
          where f.message = $1 and f.found_at > now() - interval '1 hour' $$;
comment on function spoor.found_of(bigint) is 'What was found out just now about a mail, for spoor.take_found() on the first server: spoor-match waits for neither replication nor the next batch. Null: nothing.';

create function spoor.take_found(told jsonb) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    one spoor.found;
begin
    if not spoor.is_first() then
        raise exception 'this is not the first server';
    end if;
    -- who wants no tracking comes by replication alone: no milter writes consent
    for one in select f.* from jsonb_populate_recordset(null::spoor.found, told) f
               where f.what in ('stop', 'unsubscribe') and exists (select from spoor.server s where s.number = f.shard) order by f.number loop
        perform spoor.apply_found(one);
    end loop;
end $$;
comment on function spoor.take_found(jsonb) is 'On the first server: takes the stops that spoor.found_of() gave on another.';

create function spoor.found_came() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    perform spoor.apply_found(new);
    return null; -- it stays where it was found
end $$;
comment on function spoor.found_came() is 'On the first server: replication brings what a shard has found out.';

create trigger found_came before insert on spoor.found for each row execute function spoor.found_came();
alter table spoor.found disable trigger found_came;
alter table spoor.found enable replica trigger found_came;

-- What the first asks of the others: to erase whom it has erased

create table spoor.erasure_order (
    number bigint generated always as identity primary key,
    what text not null check (what in ('forget', 'tracking')),
    address text not null,
    forgotten bigint,
    ordered_at timestamptz not null default now()
);
comment on table spoor.erasure_order is 'Whom the other servers have still to erase, or whose views; a row goes once all of them have.';
comment on column spoor.erasure_order.number is 'Counts them.';
comment on column spoor.erasure_order.what is 'forget: all of the person; tracking: what they viewed and clicked.';
comment on column spoor.erasure_order.address is 'Who.';
comment on column spoor.erasure_order.forgotten is 'As in spoor.forgotten.';
comment on column spoor.erasure_order.ordered_at is 'When.';

create table spoor.erasure_done (
    number bigint not null,
    shard smallint not null,
    primary key (number, shard)
);
comment on table spoor.erasure_done is 'Which server has done what spoor.erasure_order asks: on the first of all, elsewhere its own.';
comment on column spoor.erasure_done.number is 'As in spoor.erasure_order.';
comment on column spoor.erasure_done.shard is 'As in spoor.shard.';

create function spoor.order_erasure(what text, address text, forgotten bigint default null) returns void
    language sql
    as $$ insert into spoor.erasure_order (what, address, forgotten)
          select $1, $2, $3 where spoor.is_first() and exists (select from spoor.server) $$;
comment on function spoor.order_erasure(text, text, bigint) is 'Has the other servers, if there are any, do what the first does.';

create function spoor.note_erased(shard smallint, number bigint) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    -- two servers that tell of it at once would not see each other, and the address would stay
    perform from spoor.erasure_order o where o.number = note_erased.number for update;
    insert into spoor.erasure_done (number, shard)
        select note_erased.number, note_erased.shard from spoor.erasure_order o where o.number = note_erased.number
        on conflict do nothing;
    if not exists (select from spoor.server s
                   where not exists (select from spoor.erasure_done d where d.number = note_erased.number and d.shard = s.number)) then
        delete from spoor.erasure_order o where o.number = note_erased.number;
        delete from spoor.erasure_done d where d.number = note_erased.number;
    end if;
end $$;
comment on function spoor.note_erased(smallint, bigint) is 'On the first server: another has done what it was asked.';

create function spoor.follow_orders() returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    here smallint := (select s.number from spoor.shard s);
    due spoor.erasure_order;
    done spoor.found;
begin
    if here = 0 then
        return;
    end if;
    for due in select o.* from spoor.erasure_order o
                where not exists (select from spoor.erasure_done d where d.number = o.number) order by o.number loop
        perform pg_advisory_xact_lock(hashtext('spoor.prune')); -- as spoor.forget() does
        perform pg_advisory_xact_lock(hashtext('spoor.forget'));
        if due.what = 'forget' then
            perform spoor.erase_person(due.address);
            perform pg_notify('spoor_forget', '');
        else
            perform spoor.forget_views(due.address);
        end if;
        insert into spoor.erasure_done (number, shard) values (due.number, here);
        done.what := 'erased';
        done.erasure := due.number;
        perform spoor.find_out(done);
    end loop;
    delete from spoor.erasure_done d where not exists (select from spoor.erasure_order o where o.number = d.number);
end $$;
comment on function spoor.follow_orders() is 'On another server than the first: does what spoor.erasure_order asks. Every spoor-pixeld has it done every few seconds.';

grant execute on function spoor.found_of(bigint), spoor.take_found(jsonb) to spoor_milter;
