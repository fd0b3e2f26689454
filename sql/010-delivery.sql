-- SPDX-License-Identifier: BSD-2-Clause
-- Deliveries: what the MTA's log says became of each mail, recipient by recipient.

create type spoor.delivery_state as enum ('delivered', 'deferred', 'bounced', 'expired');
comment on type spoor.delivery_state is 'What became of a mail at the next server: taken, to be tried again, refused, or tried for too long.';

alter table spoor.retention add column unmatched interval not null default '1 day' check (unmatched >= '1 minute'),
    add column stuck_after interval not null default '4 hours',
    add column bounce_within interval not null default '1 minute' check (bounce_within >= '0 s');
comment on column spoor.retention.unmatched is 'What the log says of mails that are not tracked is forgotten after this; the row of a tracked mail may come as late.';
comment on column spoor.retention.bounce_within is 'So long after a refusal a bounce mail may come and tell of it; then the feed says undelivered.';
comment on column spoor.retention.stuck_after is 'A mail that was neither delivered nor refused after this is in spoor.stuck.';

create index message_queue_id on spoor.message (queue_id) where queue_id is not null;

create function spoor.host_label(host text) returns text
    language sql immutable strict parallel safe
    as $$ select lower(split_part(host, '.', 1)) $$;
comment on function spoor.host_label(text) is 'The first label of a host name: an MTA calls itself by its full name, syslog often by this.';

create table spoor.pending_delivery (
    spool smallint not null,
    record bigint not null,
    state text not null,
    at_time timestamptz not null,
    host text not null,
    queue_id text not null,
    first text,
    recipient text not null,
    original text,
    relay text,
    relay_address text,
    status text,
    text text,
    goes_on_as text,
    assigned_id text,
    tls boolean not null,
    loaded_at timestamptz not null default now(),
    primary key (spool, record)
);
create index pending_delivery_queue_id on spoor.pending_delivery (queue_id);
create index pending_delivery_loaded_at on spoor.pending_delivery (loaded_at);
comment on table spoor.pending_delivery is 'Lines of mail logs whose mail is not in the database, or not this recipient of it: not yet, or it is not tracked. See spoor.retention.unmatched.';
comment on column spoor.pending_delivery.spool is 'Spool it came from.';
comment on column spoor.pending_delivery.record is 'Position in the spool.';
comment on column spoor.pending_delivery.state is 'A spoor.delivery_state, or copy: the mail first goes on as queue_id.';
comment on column spoor.pending_delivery.at_time is 'When the line was written.';
comment on column spoor.pending_delivery.host is 'Host that wrote it.';
comment on column spoor.pending_delivery.queue_id is 'Queue id there.';
comment on column spoor.pending_delivery.first is 'Of a copy: the queue id that the mail had before.';
comment on column spoor.pending_delivery.recipient is 'To whom; empty when the mail expired.';
comment on column spoor.pending_delivery.original is 'To whom it was submitted, when an alias changed that.';
comment on column spoor.pending_delivery.relay is 'Next server.';
comment on column spoor.pending_delivery.relay_address is 'Its network address.';
comment on column spoor.pending_delivery.status is 'Enhanced status code, RFC 3463.';
comment on column spoor.pending_delivery.text is 'What the next server said.';
comment on column spoor.pending_delivery.goes_on_as is 'Queue id that the next server gave.';
comment on column spoor.pending_delivery.assigned_id is 'Message-ID that the next server gave.';
comment on column spoor.pending_delivery.tls is 'Whether it is known to have gone by TLS.';
comment on column spoor.pending_delivery.loaded_at is 'When it came here; not when it came into the log.';

create table spoor.message_queue (
    host text not null,
    queue_id text not null,
    message bigint not null,
    at_time timestamptz not null,
    primary key (host, queue_id, message)
);
comment on table spoor.message_queue is 'Further queue ids of a mail on the host that took it: of copies, and of forwarded mail.';
comment on column spoor.message_queue.host is 'First label of the host''s name.';
comment on column spoor.message_queue.queue_id is 'The queue id.';
comment on column spoor.message_queue.message is 'The mail.';
comment on column spoor.message_queue.at_time is 'When the mail got it.';

create table spoor.delivery (
    message bigint not null,
    recipient text not null,
    address text not null,
    state spoor.delivery_state not null,
    at_time timestamptz not null,
    deferred_since timestamptz,
    attempts integer not null,
    relay text,
    relay_address text,
    status text,
    text text,
    tls boolean not null,
    queue_id text,
    spool smallint not null,
    told boolean,
    record bigint not null,
    primary key (message, recipient, address)
);
create index delivery_untold on spoor.delivery (at_time) where state in ('bounced', 'expired') and told is null;
create index delivery_told on spoor.delivery (at_time) where told;
comment on table spoor.delivery is 'How far each tracked mail has come, a row a recipient and, where an alias made several of one, a row each.';
comment on column spoor.delivery.message is 'The mail.';
comment on column spoor.delivery.recipient is 'To whom it was submitted, as in spoor.recipient.';
comment on column spoor.delivery.address is 'To whom it went on; the same without an alias.';
comment on column spoor.delivery.state is 'What came of the last attempt.';
comment on column spoor.delivery.at_time is 'When that was.';
comment on column spoor.delivery.deferred_since is 'First attempt that was put off; null when there was none.';
comment on column spoor.delivery.attempts is 'How many attempts there were.';
comment on column spoor.delivery.relay is 'Server that took or refused it.';
comment on column spoor.delivery.relay_address is 'Its network address.';
comment on column spoor.delivery.status is 'Enhanced status code, RFC 3463.';
comment on column spoor.delivery.text is 'What that server said, or why it was put off.';
comment on column spoor.delivery.tls is 'Whether it is known to have gone by TLS; no means it is not known.';
comment on column spoor.delivery.queue_id is 'Queue id under which that was; a copy has its own.';
comment on column spoor.delivery.spool is 'Spool that the attempt''s line came from.';
comment on column spoor.delivery.told is 'Whether the feed tells that it was refused: yes, no where a bounce mail does, null while it need not.';
comment on column spoor.delivery.record is 'Position of that line in the spool; once told, of the event in the feed.';

create table spoor.expansion (
    message bigint not null,
    recipient text not null,
    address text not null,
    guessed boolean not null default false,
    primary key (message, recipient, address)
);
comment on table spoor.expansion is 'Which address an alias led to, where the delivery to that address does not tell the alias: after a split into copies, and with Sendmail.';
comment on column spoor.expansion.guessed is 'Nobody had sent the mail to this address, and of the recipient himself nothing is heard. Of several such recipients each is meant.';
comment on column spoor.expansion.message is 'The mail.';
comment on column spoor.expansion.recipient is 'To whom it was submitted.';
comment on column spoor.expansion.address is 'To whom a copy went on.';

create view spoor.recipient_delivery as
select d.message, d.recipient, d.address, d.state, d.at_time, d.deferred_since, d.attempts, d.relay, d.status, d.text, d.tls
from spoor.delivery d
union all
select e.message, e.recipient, d.address, d.state, d.at_time, d.deferred_since, d.attempts, d.relay, d.status, d.text, d.tls
from spoor.expansion e join spoor.delivery d on d.message = e.message and d.recipient = e.address;
comment on view spoor.recipient_delivery is 'spoor.delivery, and under an alias also what became of the copies that it led to. Where it is not known which of several aliases led to an address, it is under each.';
comment on column spoor.recipient_delivery.message is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.recipient is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.address is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.state is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.at_time is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.deferred_since is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.attempts is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.relay is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.status is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.text is 'As in spoor.delivery.';
comment on column spoor.recipient_delivery.tls is 'As in spoor.delivery.';

create table spoor.message_alias (
    alias text not null,
    message bigint not null,
    at_time timestamptz not null,
    primary key (alias, message)
);
comment on table spoor.message_alias is 'Message-IDs under which the next server sent a mail on, so that answers to them are found.';
comment on column spoor.message_alias.alias is 'The id without brackets, in lower case.';
comment on column spoor.message_alias.message is 'The mail.';
comment on column spoor.message_alias.at_time is 'When it was given.';

-- Matching

-- Queue ids come again: of several mails it is the latest one that was there before the line. A log has whole seconds.
-- An MTA may go by a name that its machine does not have; spoor-stamp beside it has noted the machine's, as the log does.
create function spoor.message_of_queue(host text, queue_id text, at_time timestamptz) returns bigint
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    select id from (
        select m.id, m.sent_at as since from spoor.message m
            where m.queue_id = $2
                  and (spoor.host_label(m.host) = spoor.host_label($1)
                       or exists (select from spoor.node n where n.node = (m.id >> 12 & 1023)::smallint
                                                                 and spoor.host_label(n.host) = spoor.host_label($1)))
        union all
        select q.message, q.at_time from spoor.message_queue q
            where q.queue_id = $2 and q.host = spoor.host_label($1)) candidate
    where since <= $3 + interval '1 minute' and since >= $3 - interval '40 days'
    order by since desc limit 1 $$;
comment on function spoor.message_of_queue(text, text, timestamptz) is 'The tracked mail that had this queue id at that time; null when it is none of ours, or not here yet.';

-- Most lines are of mails that are not tracked; only those are looked at whose queue id a tracked mail has had.
create view spoor.matching_delivery as
select p.spool, p.record, p.loaded_at, p.state, p.host, coalesce(p.first, p.queue_id) as queue_id, p.at_time
from spoor.pending_delivery p join spoor.message m on m.queue_id = coalesce(p.first, p.queue_id)
union
select p.spool, p.record, p.loaded_at, p.state, p.host, coalesce(p.first, p.queue_id), p.at_time
from spoor.pending_delivery p join spoor.message_queue q on q.queue_id = coalesce(p.first, p.queue_id);
comment on view spoor.matching_delivery is 'Waiting lines whose mail may be here; for spoor.settle_deliveries().';
comment on column spoor.matching_delivery.spool is 'As in spoor.pending_delivery.';
comment on column spoor.matching_delivery.record is 'As in spoor.pending_delivery.';
comment on column spoor.matching_delivery.loaded_at is 'As in spoor.pending_delivery.';
comment on column spoor.matching_delivery.state is 'As in spoor.pending_delivery.';
comment on column spoor.matching_delivery.host is 'As in spoor.pending_delivery.';
comment on column spoor.matching_delivery.queue_id is 'The queue id that tells the mail: of a copy the one before.';
comment on column spoor.matching_delivery.at_time is 'As in spoor.pending_delivery.';

create function spoor.settle_copies(since timestamptz) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    settled integer;
begin
    -- a copy of a copy is found in the next round
    loop
        with found as (
            select p.spool, p.record, spoor.message_of_queue(p.host, p.queue_id, p.at_time) as message
            from spoor.matching_delivery p where p.state = 'copy' and p.loaded_at >= since),
        gone as (
            delete from spoor.pending_delivery p using found f
            where f.message is not null and p.spool = f.spool and p.record = f.record
            returning p.host, p.queue_id, f.message, p.at_time)
        insert into spoor.message_queue (host, queue_id, message, at_time)
            select distinct on (queue_id, message, spoor.host_label(host)) spoor.host_label(host), queue_id, message, at_time
            from gone order by queue_id, message, spoor.host_label(host), at_time
            on conflict do nothing;
        get diagnostics settled = row_count;
        exit when settled = 0;
    end loop;
end $$;
comment on function spoor.settle_copies(timestamptz) is 'Ties the queue ids of copies to their mails; for spoor.settle_deliveries().';

create type spoor.attempt as (
    message bigint, recipient text, address text, state spoor.delivery_state, at_time timestamptz, spool smallint, record bigint,
    queue_id text, passed_on boolean, relay text, relay_address text, status text, text text, tls boolean, assigned_id text);
comment on type spoor.attempt is 'A line of a mail log that belongs to a tracked mail; passed on: it went through a content filter and is here again.';

create function spoor.is_sendmail_id(queue_id text) returns boolean
    language sql immutable strict parallel safe
    as $$ select queue_id ~ '^[0-9A-Za-x]{8}[0-9]{5,}$' and queue_id !~ '^[0-9A-F]+$' $$;
comment on function spoor.is_sendmail_id(text) is 'Whether a queue id has the shape of Sendmail''s: its log does not tell the alias that led to an address. Postfix has others.';

-- Who wants not to be named stands in the log all the same, and so does what the MTA adds, an archive.
create function spoor.is_meant(message bigint, line spoor.pending_delivery) returns boolean
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if ($2).state = 'expired' or exists (select from spoor.recipient r where r.message = $1 and r.address = ($2).recipient)
       or exists (select from spoor.message m where m.id = $1 and m.level <> 'individual') then
        return true;
    end if;
    return spoor.may_be_named(($2).recipient)
           and (spoor.is_sendmail_id(($2).queue_id)
                or exists (select from spoor.recipient r where r.message = $1 and r.address = ($2).original)
                or exists (select from spoor.expansion e where e.message = $1 and e.address = ($2).recipient));
end $$;
comment on function spoor.is_meant(bigint, spoor.pending_delivery) is 'Whether a line of that mail is about a recipient who is named, as far as is known yet; for spoor.take_attempts().';

-- Takes what has become known out of the waiting lines. That a content filter on this host took a mail is no delivery:
-- its copies are followed, also one that is not tied to its mail yet. Where nobody is named nobody is named here.
create function spoor.take_attempts(since timestamptz) returns setof spoor.attempt
    language sql
    set search_path = pg_catalog, pg_temp
    as $$
    with found as (
        select p.spool, p.record, spoor.message_of_queue(p.host, p.queue_id, p.at_time) as message
        from spoor.matching_delivery p where p.state <> 'copy' and p.loaded_at >= since),
    gone as (
        delete from spoor.pending_delivery p using found f
        where f.message is not null and p.spool = f.spool and p.record = f.record and spoor.is_meant(f.message, p)
        returning f.message, p.*)
    select g.message, coalesce(g.original, g.recipient), g.recipient, g.state::spoor.delivery_state, g.at_time, g.spool, g.record,
           g.queue_id,
           g.state = 'delivered' and g.goes_on_as is not null
               and (exists (select from spoor.message_queue q
                            where q.host = spoor.host_label(g.host) and q.queue_id = g.goes_on_as and q.message = g.message)
                    or exists (select from spoor.pending_delivery p
                               where p.state = 'copy' and p.queue_id = g.goes_on_as and p.first = g.queue_id and p.host = g.host)),
           g.relay, g.relay_address, g.status, g.text, g.tls, g.assigned_id
    from gone g join spoor.message m on m.id = g.message
    where m.level = 'individual' $$;
comment on function spoor.take_attempts(timestamptz) is 'The waiting lines whose mail is known; they wait no more. For spoor.settle_deliveries().';

-- Sendmail does not log what an alias led to.
create function spoor.guess_aliases(taken spoor.attempt[]) returns void
    language sql
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.expansion (message, recipient, address, guessed)
        select s.message, r.address, s.recipient, true
        from (select distinct a.message, a.recipient from unnest($1) a
              where a.state <> 'expired' and not a.passed_on and spoor.is_sendmail_id(a.queue_id)
                    and not exists (select from spoor.recipient o where o.message = a.message and o.address = a.recipient)) s
        join spoor.recipient r on r.message = s.message
        where not exists (select from spoor.delivery d where d.message = r.message and d.recipient = r.address)
              and not exists (select from spoor.expansion e where e.message = r.message and e.recipient = r.address and not e.guessed)
        on conflict do nothing;
    -- he is heard of after all, or his alias is known
    delete from spoor.expansion e using (select distinct a.message, a.recipient from unnest($1) a where a.state <> 'expired') s
        where e.message = s.message and e.recipient = s.recipient and e.guessed $$;
comment on function spoor.guess_aliases(spoor.attempt[]) is 'Puts addresses to which nobody had sent the mail under the recipients of whom nothing is heard; for spoor.note_attempts().';

create function spoor.note_attempts(taken spoor.attempt[]) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    insert into spoor.delivery as d (message, recipient, address, state, at_time, deferred_since, attempts, relay, relay_address,
                                     status, text, tls, queue_id, spool, record)
        select distinct on (a.message, a.recipient, a.address) a.message, a.recipient, a.address, a.state, a.at_time,
               min(a.at_time) filter (where a.state = 'deferred') over same, count(*) over same, a.relay, a.relay_address,
               a.status, a.text, a.tls, a.queue_id, a.spool, a.record
        from unnest(taken) a where a.state <> 'expired' and not a.passed_on
        window same as (partition by a.message, a.recipient, a.address)
        order by a.message, a.recipient, a.address, a.at_time desc, a.record desc
        on conflict (message, recipient, address) do update
            set state = case when excluded.at_time >= d.at_time then excluded.state else d.state end,
                relay = case when excluded.at_time >= d.at_time then excluded.relay else d.relay end,
                relay_address = case when excluded.at_time >= d.at_time then excluded.relay_address else d.relay_address end,
                status = case when excluded.at_time >= d.at_time then excluded.status else d.status end,
                text = case when excluded.at_time >= d.at_time then excluded.text else d.text end,
                tls = case when excluded.at_time >= d.at_time then excluded.tls else d.tls end,
                queue_id = case when excluded.at_time >= d.at_time then excluded.queue_id else d.queue_id end,
                spool = case when excluded.at_time >= d.at_time and d.told is null then excluded.spool else d.spool end,
                record = case when excluded.at_time >= d.at_time and d.told is null then excluded.record else d.record end,
                deferred_since = least(d.deferred_since, excluded.deferred_since),
                attempts = d.attempts + excluded.attempts,
                at_time = greatest(d.at_time, excluded.at_time);
    update spoor.delivery d set state = 'expired', at_time = greatest(d.at_time, a.at_time)
        from unnest(taken) a
        where a.state = 'expired' and d.message = a.message and d.queue_id = a.queue_id and d.state = 'deferred';
    insert into spoor.expansion (message, recipient, address)
        select distinct a.message, a.recipient, a.address from unnest(taken) a where a.passed_on and a.recipient <> a.address
        on conflict (message, recipient, address) do update set guessed = false;
    perform spoor.guess_aliases(taken);
    insert into spoor.fresh_delivery (message)
        select distinct a.message from unnest(taken) a where a.state = 'delivered' and not a.passed_on on conflict do nothing;
    insert into spoor.message_alias (alias, message, at_time)
        select distinct on (lower(a.assigned_id), a.message) lower(a.assigned_id), a.message, a.at_time
        from unnest(taken) a where a.assigned_id is not null order by lower(a.assigned_id), a.message, a.at_time
        on conflict do nothing;
end $$;
comment on function spoor.note_attempts(spoor.attempt[]) is 'Brings spoor.delivery up to date; for spoor.settle_deliveries().';

-- What the feed tells of it. Most refusals come back as a bounce mail, which says more; so that has its time to come, and
-- when it comes later than that, it takes the place of what was told.

create function spoor.has_bounce(delivery spoor.delivery) returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    select exists (
        select from spoor.answer a
        where a.message = ($1).message and a.class = 'bounce'
              and case when a.about is not null then a.about in (($1).recipient, ($1).address)
                  else (select count(*) = 1 and min(r.address) = ($1).recipient
                        from spoor.recipient r where r.message = a.message and a.recipient in (0, r.key)) end) $$;
comment on function spoor.has_bounce(spoor.delivery) is 'Whether a bounce mail tells of this recipient: one that names him, or names nobody and can mean nobody else.';

create function spoor.is_of_recipient(delivery spoor.delivery) returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    select exists (select from spoor.recipient r where r.message = ($1).message and r.address = ($1).recipient)
           or exists (select from spoor.expansion e where e.message = ($1).message and e.address = ($1).recipient) $$;
comment on function spoor.is_of_recipient(spoor.delivery) is 'Whether the mail was sent to this address, or led to it by an alias; not what the MTA adds.';

create function spoor.tell_undelivered() returns setof spoor.batch
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    fresh spoor.delivery[];
    f spoor.delivery;
begin
    fresh := array(select d from spoor.delivery d
                   where d.state in ('bounced', 'expired') and d.told is null
                         and d.at_time < now() - (select r.bounce_within from spoor.retention r)
                   order by d.at_time, d.record limit 1000);
    foreach f in array fresh loop
        update spoor.delivery d set told = spoor.is_of_recipient(d) and not spoor.has_bounce(d)
            where d.message = f.message and d.recipient = f.recipient and d.address = f.address returning d.told into f.told;
        if f.told then
            f.at_time := least(f.at_time, now());
            perform spoor.ensure_partitions(f.at_time, f.at_time);
            insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)
                select f.at_time, f.message, f.record, coalesce(max(r.key), 0), 0, f.spool, 0, 'U', 'u', 0
                from spoor.recipient r where r.message = f.message and r.address = f.recipient;
            if exists (select from spoor.sink_rule) then
                perform spoor.fill_outbox('{}', array[f.message], f.spool, array[f.record], '{U}',
                    array[(extract(epoch from f.at_time) * 1000000)::bigint], array[coalesce((select max(r.key) from spoor.recipient r
                        where r.message = f.message and r.address = f.recipient), 0)], '{0}');
            end if;
            return query select null::bigint, f.spool, f.record, f.record, 1, null::timestamptz, f.at_time, f.at_time;
        end if;
    end loop;
end $$;
comment on function spoor.tell_undelivered() is 'Makes an event of each refusal of which no bounce mail has told in time, and gives the batches to be added; for spoor.settle_deliveries().';

create function spoor.untell_bounced(since timestamptz) returns setof spoor.batch
    language sql
    set search_path = pg_catalog, pg_temp
    as $$
    with gone as (
        update spoor.delivery d set told = false where d.told and d.at_time >= since and spoor.has_bounce(d) returning d.*),
    judged as (
        insert into spoor.event_verdict (spool, record, verdict, reason) select g.spool, g.record, 'd', 0 from gone g returning number)
    select null::bigint, 0::smallint, min(j.number), max(j.number), count(*)::integer, null::timestamptz,
           '-infinity'::timestamptz, 'infinity'::timestamptz
    from judged j having count(*) > 0 $$;
comment on function spoor.untell_bounced(timestamptz) is 'Takes out of the feed what a bounce mail has told since, and gives the batch to be added; for spoor.settle_deliveries().';

create function spoor.settle_deliveries(within interval default '40 days') returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    since timestamptz := now() - within;
    attempts spoor.attempt[];
    more spoor.attempt[];
    batches spoor.batch[];
begin
    perform pg_advisory_xact_lock(hashtext('spoor.settle_deliveries'));
    perform spoor.settle_copies(since);
    attempts := array(select a from spoor.take_attempts(since) a);
    perform spoor.note_attempts(attempts);
    if exists (select from unnest(attempts) a where a.passed_on and a.recipient <> a.address) then
        -- the members of an alias are known now
        more := array(select a from spoor.take_attempts(since) a);
        perform spoor.note_attempts(more);
    end if;
    batches := array(select b from spoor.untell_bounced(now() - greatest(within, '10 minutes')) b)
               || array(select b from spoor.tell_undelivered() b);
    delete from spoor.pending_delivery p using spoor.retention r where p.loaded_at < now() - r.unmatched;
    -- last, for all loaders share the lock that this takes
    perform spoor.add_batch(b.spool, b.first_record, b.last_record, b.records, b.first_at, b.last_at) from unnest(batches) b;
    return cardinality(attempts) + coalesce(cardinality(more), 0);
end $$;
comment on function spoor.settle_deliveries(interval) is 'Matches lines of mail logs that were loaded within this time with mails that have come meanwhile, and forgets those that waited for too long; gives how many were matched. Tells the feed of refusals too.';

grant insert on spoor.pending_delivery to spoor_delivery;
grant select (spool, record) on spoor.pending_delivery to spoor_delivery; -- for ON CONFLICT
grant execute on function spoor.settle_deliveries(interval) to spoor_delivery;
grant select on spoor.message_alias to spoor_milter;
