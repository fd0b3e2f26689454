-- SPDX-License-Identifier: BSD-2-Clause
-- Accounts: who may see a feed, with which session, and which devices and networks are a sender's own.

create table spoor.sender (
    address text primary key check (address = lower(address) and address like '_%@_%'),
    name text,
    sees_all boolean not null default false,
    added_at timestamptz not null default now()
);
comment on table spoor.sender is 'Who may look at a feed. One who is not here yet is added when he signs in.';
comment on column spoor.sender.address is 'Address in normal form; the mail whose owner it is, is his.';
comment on column spoor.sender.name is 'What he is called on the page; null: the address.';
comment on column spoor.sender.sees_all is 'Sees the mail of all senders.';
comment on column spoor.sender.added_at is 'When he was added.';

create table spoor.invitation (
    hash bytea primary key check (octet_length(hash) = 32),
    address text not null,
    made_at timestamptz not null default now(),
    expires_at timestamptz not null,
    spent_at timestamptz
);
create index invitation_made_at on spoor.invitation (made_at);
comment on table spoor.invitation is 'Links that let somebody in once.';
comment on column spoor.invitation.hash is 'SHA-256 of the secret in the link.';
comment on column spoor.invitation.address is 'Who comes in by it.';
comment on column spoor.invitation.made_at is 'When it was made.';
comment on column spoor.invitation.expires_at is 'Until when it opens.';
comment on column spoor.invitation.spent_at is 'When somebody came in by it; null: nobody yet.';

create table spoor.sign_in_request (
    number bigint generated always as identity primary key,
    address text not null,
    network inet,
    device uuid,
    known boolean not null default false,
    asked_at timestamptz not null default now()
);
create index sign_in_request_address on spoor.sign_in_request (address, asked_at);
create index sign_in_request_network on spoor.sign_in_request (network, asked_at);
create index sign_in_request_asked_at on spoor.sign_in_request (asked_at);
comment on table spoor.sign_in_request is 'Who asked at the page for a link by mail, so that nobody is flooded with them; a day of it is kept.';
comment on column spoor.sign_in_request.number is 'Counts them.';
comment on column spoor.sign_in_request.address is 'For which address.';
comment on column spoor.sign_in_request.network is 'From which network: 24 bits of IPv4, 56 of IPv6.';
comment on column spoor.sign_in_request.device is 'In which browser, where that is one of this sender''s.';
comment on column spoor.sign_in_request.known is 'Whether it was such a browser, or a network that he has submitted mail from.';
comment on column spoor.sign_in_request.asked_at is 'When.';

create table spoor.device (
    device uuid primary key,
    address text not null,
    name text not null,
    added_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index device_address on spoor.device (address);
comment on table spoor.device is 'Browsers in which a sender has signed in. What they fetch of his own mail is a view of his own.';
comment on column spoor.device.device is 'What the browser''s cookie says. It lets nobody in.';
comment on column spoor.device.address is 'Whose it is.';
comment on column spoor.device.name is 'Program and system, as they called themselves.';
comment on column spoor.device.added_at is 'When he first signed in there.';
comment on column spoor.device.revoked_at is 'Since when it is not his any more.';

create table spoor.session (
    hash bytea primary key check (octet_length(hash) = 32),
    address text not null,
    device uuid not null,
    made_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index session_device on spoor.session (device);
create index session_expires_at on spoor.session (expires_at);
comment on table spoor.session is 'Who is signed in where.';
comment on column spoor.session.hash is 'SHA-256 of the secret in the cookie.';
comment on column spoor.session.address is 'Who.';
comment on column spoor.session.device is 'In which browser, as in spoor.device.';
comment on column spoor.session.made_at is 'Since when.';
comment on column spoor.session.seen_at is 'When a page was last asked for, to the hour.';
comment on column spoor.session.expires_at is 'Until when, unless it is used before.';
comment on column spoor.session.revoked_at is 'When it was ended; null: it was not.';

create table spoor.sender_network (
    owner text not null,
    network inet not null,
    learned_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (owner, network)
);
create index sender_network_network on spoor.sender_network (network);
comment on table spoor.sender_network is 'From where a sender has submitted mail under his login: what is fetched of his mail from there is his own view. See spoor.verdict_setting.own_network.';
comment on column spoor.sender_network.owner is 'As in spoor.message.owner.';
comment on column spoor.sender_network.network is 'An IPv4 address, or 64 bits of IPv6.';
comment on column spoor.sender_network.learned_at is 'When mail last came from there.';
comment on column spoor.sender_network.expires_at is 'Until when it counts.';

create table spoor.event_device (
    spool smallint not null,
    record bigint not null,
    device uuid not null,
    primary key (spool, record)
);
comment on table spoor.event_device is 'Views and clicks that came with the cookie of a device.';
comment on column spoor.event_device.spool is 'Spool of the event.';
comment on column spoor.event_device.record is 'Record of the event.';
comment on column spoor.event_device.device is 'As in spoor.device, if that is known.';

alter table spoor.verdict_setting
    add column own_network interval not null default '7 days' check (own_network between '0' and '1 year');
comment on column spoor.verdict_setting.own_network is 'So long after mail was submitted from a network under a login, views from there are the sender''s own; 0: none is learned.';

-- Secrets

create function spoor.new_secret() returns text
    language sql volatile
    set search_path = pg_catalog, pg_temp
    as $$ select encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex') $$;
comment on function spoor.new_secret() is '256 random bits, as 64 digits.';

create function spoor.secret_hash(secret text) returns bytea
    language sql immutable strict parallel safe
    set search_path = pg_catalog, pg_temp
    as $$ select sha256(convert_to('spoor ' || $1, 'UTF8')) $$;
comment on function spoor.secret_hash(text) is 'What is kept of a secret.';

create function spoor.form_mark(secret text) returns text
    language sql immutable strict parallel safe
    set search_path = pg_catalog, pg_temp
    as $$ select encode(sha256(convert_to('spoor form ' || $1, 'UTF8')), 'hex') $$;
comment on function spoor.form_mark(text) is 'What the forms of a session carry, so that no other site can send one.';

-- Signing in

create function spoor.invite(address text, valid interval default '7 days') returns text
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    whose text := spoor.person(address);
    secret text := spoor.new_secret();
begin
    if not coalesce(valid > '0' and valid <= '90 days', false) then
        raise exception 'an invitation opens for no longer than 90 days, and for longer than no time: not %', coalesce(valid::text, 'null')
            using errcode = 'invalid_parameter_value', hint = 'For example: select spoor.invite(''ann@example.com'', ''7 days'')';
    end if;
    insert into spoor.sender (address) values (whose) on conflict do nothing;
    insert into spoor.invitation (hash, address, expires_at) values (spoor.secret_hash(secret), whose, now() + valid);
    return '/feed/in/' || secret;
end $$;
comment on function spoor.invite(text, interval) is 'A link that lets this sender in once, to be put behind tracking_url; it opens as long as the interval says, 90 days at most.';

create function spoor.asking_network(client inet) returns inet
    language sql immutable strict parallel safe
    set search_path = pg_catalog, pg_temp
    as $$ select network(set_masklen($1, case family($1) when 4 then 24 else 56 end))::inet $$;
comment on function spoor.asking_network(inet) is 'What of an address one stranger has at hand: 24 bits of IPv4, 56 of IPv6.';

create function spoor.asks_too_often(address text, network inet, device uuid, known boolean) returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    with recent as (
        select r.address = $1 as same_address, r.network is not distinct from $2 as same_network, r.device, r.known
        from spoor.sign_in_request r
        where r.asked_at > now() - interval '1 hour' and (r.address = $1 or r.network is not distinct from $2))
    select case when $3 is not null then count(*) filter (where r.same_address and r.device = $3) >= 3
                when $4 then count(*) filter (where r.same_address and r.same_network and r.known and r.device is null) >= 3
                else count(*) filter (where r.same_address and r.same_network and not r.known) >= 3
                     or count(*) filter (where r.same_network and not r.known) >= 20
                     or count(*) filter (where r.same_address and not r.known) >= 6 end
    from recent r $$;
comment on function spoor.asks_too_often(text, inet, uuid, boolean) is 'Whether no more links are mailed for now, so that nobody is flooded with them, and no stranger uses up what the sender has: three an hour in a browser of his, and three from where he submits mail, which neighbours there do not use up; from elsewhere three for each network, which has twenty for all addresses, and six from all networks.';

create function spoor.ask_to_sign_in(address text, client inet, device uuid default null) returns text
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    wanted text := lower(ask_to_sign_in.address);
    network inet := spoor.asking_network(client);
    own uuid := (select d.device from spoor.device d
                 where d.device = ask_to_sign_in.device and d.address = wanted and d.revoked_at is null);
    known boolean := own is not null or exists (
        select from spoor.sender_network n
        where n.owner = wanted and n.network = spoor.own_network(client) and n.expires_at > now());
    secret text;
begin
    delete from spoor.sign_in_request r where r.asked_at < now() - interval '1 day';
    delete from spoor.invitation i where i.made_at < now() - interval '90 days';
    if spoor.asks_too_often(wanted, network, own, known) then
        return null;
    end if;
    insert into spoor.sign_in_request (address, network, device, known) values (wanted, network, own, known);
    if not exists (select from spoor.sender s where s.address = wanted)
       and not exists (select from spoor.message m where m.owner = wanted) then
        return null;
    end if;
    secret := spoor.new_secret();
    insert into spoor.invitation (hash, address, expires_at) values (spoor.secret_hash(secret), wanted, now() + interval '20 min');
    return secret;
end $$;
comment on function spoor.ask_to_sign_in(text, inet, uuid) is 'The secret of a link to be mailed to this address; null when there is no such sender, or it was asked for too often, see spoor.asks_too_often(). The device is what the asking browser''s cookie says.';

create function spoor.sign_in(secret text, device uuid, name text, out session text, out own_device uuid)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    who text;
begin
    update spoor.invitation i set spent_at = now()
        where i.hash = spoor.secret_hash(secret) and i.spent_at is null and i.expires_at > now()
        returning i.address into who;
    if who is null then
        return;
    end if;
    insert into spoor.sender (address) values (who) on conflict do nothing;
    delete from spoor.session s where s.expires_at < now() - interval '30 days';
    session := spoor.new_secret();
    -- the browser keeps its mark; with another sender's it gets a new one, for a mark has one owner
    select d.device into own_device from spoor.device d
        where d.device = sign_in.device and d.address = who and d.revoked_at is null;
    if own_device is null then
        own_device := gen_random_uuid();
        insert into spoor.device (device, address, name) values (own_device, who, left(sign_in.name, 100));
    end if;
    insert into spoor.session (hash, address, device, expires_at)
        values (spoor.secret_hash(session), who, own_device, now() + interval '30 days');
end $$;
comment on function spoor.sign_in(text, uuid, text) is 'Spends the secret of a link and begins a session in the browser that has, or now gets, this device; nulls when it was spent already, is too old, or never was.';

create function spoor.account(secret text) returns spoor.sender
    language sql stable strict security definer
    set search_path = pg_catalog, pg_temp
    as $$ select w from spoor.session s join spoor.sender w on w.address = s.address
          where s.hash = spoor.secret_hash($1) and s.revoked_at is null and s.expires_at > now() $$;
comment on function spoor.account(text) is 'Whose session this secret is; null when it is none, has expired or was ended.';

create function spoor.my_session(secret text)
    returns table (address text, name text, sees_all boolean, form text, device uuid)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if spoor.is_first() then
        update spoor.session s set seen_at = now(), expires_at = now() + interval '30 days'
            where s.hash = spoor.secret_hash(secret) and s.revoked_at is null and s.expires_at > now()
                  and s.seen_at < now() - interval '1 hour';
    end if;
    return query select w.address, coalesce(w.name, w.address), w.sees_all, spoor.form_mark(secret), s.device
        from spoor.session s join spoor.sender w on w.address = s.address
        where s.hash = spoor.secret_hash(secret) and s.revoked_at is null and s.expires_at > now();
end $$;
comment on function spoor.my_session(text) is 'Who is signed in with this secret, with the mark of his forms; no row when nobody is. A session that is used lasts 30 days from then.';

create function spoor.sign_out(secret text, form text) returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    update spoor.session s set revoked_at = now()
        where s.hash = spoor.secret_hash(secret) and s.revoked_at is null and form = spoor.form_mark(secret);
    return found;
end $$;
comment on function spoor.sign_out(text, text) is 'Ends a session; false when the mark of the form is not its.';

create function spoor.my_devices(secret text)
    returns table (device uuid, name text, added_at timestamptz, seen_at timestamptz, current boolean, signed_in boolean)
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select d.device, d.name, d.added_at, coalesce(u.seen_at, d.added_at), coalesce(u.current, false), coalesce(u.alive, false)
    from spoor.account($1) w
    join spoor.device d on d.address = w.address and d.revoked_at is null
    left join lateral (select max(s.seen_at) as seen_at, bool_or(s.hash = spoor.secret_hash($1)) as current,
                              bool_or(s.revoked_at is null and s.expires_at > now()) as alive
                       from spoor.session s where s.device = d.device) u on true
    order by 4 desc $$;
comment on function spoor.my_devices(text) is 'The devices of who is signed in with this secret.';

create function spoor.revoke_device(device uuid) returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    update spoor.session s set revoked_at = now() where s.device = revoke_device.device and s.revoked_at is null;
    update spoor.device d set revoked_at = now() where d.device = revoke_device.device and d.revoked_at is null;
    return found;
end $$;
comment on function spoor.revoke_device(uuid) is 'Signs a device out and takes its mark away; false when there is no such device.';

create function spoor.revoke_my_device(secret text, form text, device uuid) returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if form is distinct from spoor.form_mark(secret)
       or not exists (select from spoor.account(secret) w join spoor.device d on d.address = w.address
                      where d.device = revoke_my_device.device) then
        return false;
    end if;
    return spoor.revoke_device(device);
end $$;
comment on function spoor.revoke_my_device(text, text, uuid) is 'The same for a device of who is signed in with this secret.';

create function spoor.owners_of(account spoor.sender) returns text[]
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select case when not ($1).sees_all then array[($1).address] end $$;
comment on function spoor.owners_of(spoor.sender) is 'Whose mail a sender sees, as in spoor.message.owner; null: everybody''s.';

-- Own views

create function spoor.own_network(address inet) returns inet
    language sql immutable strict parallel safe
    set search_path = pg_catalog, pg_temp
    as $$ select case family($1) when 4 then set_masklen($1, 32) else network(set_masklen($1, 64))::inet end $$;
comment on function spoor.own_network(inet) is 'How much of an address is a sender''s own: all of IPv4, 64 bits of IPv6.';

create function spoor.learn_networks(owners text[], addresses inet[], times timestamptz[]) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.sender_network as n (owner, network, learned_at, expires_at)
    select t.owner, spoor.own_network(t.address), max(t.at), max(t.at) + s.own_network
    from unnest($1, $2, $3) t (owner, address, at) cross join spoor.verdict_setting s
    where s.own_network > '0' and t.at + s.own_network > now()
    group by t.owner, spoor.own_network(t.address), s.own_network
    order by 1, 2
    on conflict (owner, network) do update set learned_at = excluded.learned_at, expires_at = excluded.expires_at
        where n.learned_at < excluded.learned_at $$;
comment on function spoor.learn_networks(text[], inet[], timestamptz[]) is 'Notes from where these owners have submitted mail, and when.';

create function spoor.own_views(fresh spoor.event[])
    returns table (spool smallint, record bigint, verdict "char", reason text)
    language sql stable security definer rows 10
    set search_path = pg_catalog, pg_temp
    as $$
    with mails as materialized (
        select m.id, m.owner, m.sender
        from spoor.message m where m.id in (select f.message from unnest($1) f)),
    signs as (
        select f.spool, f.record, f.recipient,
               exists (select from spoor.event_device e join spoor.device d on d.device = e.device and d.revoked_at is null
                       where e.spool = f.spool and e.record = f.record and d.address = m.owner) as device,
               f.recipient <> 0 and coalesce((select bool_and(r.address in (m.owner, m.sender)) from spoor.recipient r
                                              where r.message = f.message and r.key = f.recipient), false) as copy,
               exists (select from spoor.sender_network n where n.owner = m.owner
                       and n.network = spoor.own_network(f.address) and n.expires_at > f.at_time) as network,
               exists (select from spoor.sender_network n where n.owner <> m.owner
                       and n.network = spoor.own_network(f.address) and n.expires_at > f.at_time) as shared,
               f.recipient = 0 and exists (select from spoor.recipient r where r.message = f.message
                                           and r.address in (m.owner, m.sender)) as among
        from unnest($1) f join mails m on m.id = f.message
        where spoor.is_judged(f.kind))
    select s.spool, s.record, (case when s.device or s.copy or s.network and not s.shared then 's' else 'u' end)::"char",
           case when s.device then 'own_device' when s.copy then 'own_copy'
                when s.network and not s.shared then 'own_network' else 'perhaps_own' end
    from signs s where s.device or s.copy or s.network or s.among $$;
comment on function spoor.own_views(spoor.event[]) is 'Which of these views and clicks are the sender''s own: self for his device, his copy, or a network from which he alone submits; unknown, perhaps_own, for a network that other senders share, or where his is one of several copies that cannot be told apart.';

create function spoor.judge_own(fresh spoor.event[]) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select f.spool, f.record, w.verdict, spoor.reason_number(w.reason)
    from spoor.own_views($1) w
    join unnest($1) f on f.spool = w.spool and f.record = w.record
    join spoor.judged_event e on e.message = f.message and e.at_time = f.at_time and e.spool = f.spool and e.record = f.record
    where e.verdict in ('h', 'p', 'u') $$;
comment on function spoor.judge_own(spoor.event[]) is 'The sender''s own views and clicks are self; see spoor.own_views().';

grant execute on function spoor.ask_to_sign_in(text, inet, uuid), spoor.sign_in(text, uuid, text), spoor.my_session(text),
    spoor.sign_out(text, text), spoor.my_devices(text), spoor.revoke_my_device(text, text, uuid) to spoor_feed;
grant execute on function spoor.learn_networks(text[], inet[], timestamptz[]) to spoor_milter;
grant insert on spoor.event_device to spoor_pixeld, spoor_milter;
grant insert, update, delete on spoor.sender to spoor_admin;
grant delete on spoor.sender_network, spoor.invitation, spoor.session to spoor_admin;
