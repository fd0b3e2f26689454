-- SPDX-License-Identifier: BSD-2-Clause
-- Who is forgotten, and comes back with a backup, is deleted again wherever he stands, and be it there alone.
select plan(12);

create temporary table place (name text, put text);
insert into place values
    ('sender', $$ insert into spoor.sender (address) values (%L) $$),
    ('sender_login', $$ insert into spoor.sender_login (login, address) values ('one', %L) $$),
    ('device', $$ insert into spoor.device (device, address, name) values (gen_random_uuid(), %L, 'Browser') $$),
    ('session', $$ insert into spoor.session (hash, address, device, expires_at) values (sha256('s'), %L, gen_random_uuid(), now()) $$),
    ('sender_network', $$ insert into spoor.sender_network (owner, network, learned_at, expires_at) values (%L, '192.0.2.1', now(), now()) $$),
    ('invitation', $$ insert into spoor.invitation (hash, address, expires_at) values (sha256('i'), %L, now()) $$),
    ('sign_in_request', $$ insert into spoor.sign_in_request (address) values (%L) $$),
    ('pending_delivery', $$ insert into spoor.pending_delivery (spool, record, state, at_time, host, queue_id, recipient, original, tls)
                            values (1, 1, 'delivered', now(), 'mx', 'Q', 'alias@example.com', %L, false) $$),
    ('mail_choice', $$ insert into spoor.mail_choice (owner, address) values ('owner@example.net', %L) $$),
    ('suppression', $$ insert into spoor.suppression (address, owner) values ('a@example.net', %L) $$);

select ok(sum(f.gone) = 0, 'nobody was there before') from place p cross join lateral spoor.forget(p.name || '@example.com') f;
do $$
declare
    one place;
begin
    for one in table place loop
        execute format(one.put, one.name || '@example.com');
    end loop;
end $$;
select is(spoor.apply_forgotten(), 10::bigint, 'all are found again');
select is_empty(format('select * from spoor.traces(%L)', name || '@example.com'), 'who stood in spoor.' || name || ' alone is gone') from place;
select * from finish();
