-- SPDX-License-Identifier: BSD-2-Clause
-- Reports count each person once, machines apart, and say of how many a rate is.
select plan(32);

-- Three mails of Ann to Bob and Cy, told apart; one of Ann to three who are not; one of Dan without a picture.
insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject, campaign)
select n, now() - interval '2 days', 1000, 'individual', case n when 5 then 0 else 1 end, case n when 4 then 3 else 2 end,
       case n when 5 then 'dan@example.com' else 'ann@example.com' end, 'ann@example.com', 'Mail ' || n, 'spring'
from generate_series(1, 5) n;
insert into spoor.campaign values ('spring');
insert into spoor.recipient (message, address, key)
select n, a, k from generate_series(1, 3) n, (values ('bob@example.net', 11), ('cy@example.org', 12)) r (a, k)
union all select 4, 'p' || k || '@example.net', k from generate_series(21, 23) k
union all select 5, 'bob@example.net', 11;
insert into spoor.link values (1, 1, 'https://shop.example/a'), (2, 1, 'https://shop.example/a'), (2, 2, 'https://shop.example/b');
select spoor.ensure_partitions(now() - interval '3 days', now());
insert into spoor.reason (hash, name) values (gen_random_uuid(), 'test');
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select now() - interval '1 day' + record * interval '1 hour' / 100, message, record, recipient, 0, 1, link, kind::"char", verdict::"char", 0, '192.0.2.1'
from (values
    (1, 1, 11, 0, 'v', 'h'), (2, 1, 11, 0, 'v', 'p'), (3, 1, 11, 1, 'c', 'h'), -- Bob: views twice, clicks
    (4, 1, 12, 0, 'v', 'b'),                                                   -- Cy's scanner
    (5, 2, 12, 1, 'c', 'h'), (6, 2, 12, 2, 'c', 'b'),                          -- Cy clicks without a view
    (7, 3, 11, 0, 'v', 's'),                                                   -- the sender himself
    (8, 4, 0, 0, 'v', 'u'), (9, 4, 0, 0, 'v', 'h'),                            -- somebody of three
    (10, 1, 12, 0, 'v', 'h')) e (record, message, recipient, link, kind, verdict);
-- judged again: what seemed Cy's view was a machine's
insert into spoor.event_verdict (spool, record, verdict, reason) values (1, 10, 'b', 0);
insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence, answerer,
                          from_address, about, hard)
values (3, sha256('1'), now(), 101, 1, 0, 0, 'reply', 'references', 'high', 'recipient', 'bob@example.net', null, null),
       (3, sha256('2'), now(), 102, 1, 0, 0, 'bounce', 'references', 'high', 'unknown', 'mailer@example.org', 'cy@example.org', true);

select results_eq(
    $$ select owner, mails, recipients, with_picture, viewed, view_rate, with_links, clicked, click_rate, replied, reply_rate,
              bounced, bounce_rate from spoor.sender_report order by owner $$,
    $$ values ('ann@example.com', 4::bigint, 9::bigint, 4::bigint, 4::bigint, 100.0, 2::bigint, 2::bigint, 100.0, 1::bigint, 25.0,
               1::bigint, 11.1),
              ('dan@example.com', 1, 2, 0, 0, null, 0, 0, null, 0, 0.0, 0, 0.0) $$,
    'a sender: a click and a reply say that it was viewed; rates have their denominators');
select results_eq(
    $$ select persons_viewed, views, clicks, machine_events from spoor.sender_report where owner = 'ann@example.com' $$,
    $$ values (4::bigint, 4::bigint, 2::bigint, 3::bigint) $$,
    'a person counts once, human and proxy together, machines apart');
select is_empty($$ select * from spoor.sender_report(now() - interval '1 day', now()) $$, 'nothing was sent in that time');
select results_eq(
    $$ select domain, recipients, told_apart, viewed, clicked, replied, bounced from spoor.recipient_domain_report order by domain $$,
    $$ values ('example.net', 7::bigint, 3::bigint, 2::bigint, 1::bigint, 1::bigint, 0::bigint),
              ('example.org', 3, 3, 1, 1, 0, 1) $$,
    'a domain: who cannot be told apart is in no rate');
select results_eq(
    $$ select destination, persons, mails, clicks, machine_clicks from spoor.top_links $$,
    $$ values ('https://shop.example/a', 2::bigint, 2::bigint, 2::bigint, 0::bigint), ('https://shop.example/b', 0, 0, 0, 1) $$,
    'links by the persons who followed them');
select results_eq(
    $$ select message, link, persons, clicks, machine_clicks from spoor.link_report where message = 2 order by link $$,
    $$ values (2::bigint, 1, 1::bigint, 1::bigint, 0::bigint), (2, 2, 0, 0, 1) $$, 'the links of a mail');
select results_eq(
    $$ select mails, with_picture, viewed, view_rate, clicked, click_rate, machine_events from spoor.campaign_report $$,
    $$ values (5::bigint, 4::bigint, 3::bigint, 75.0, 2::bigint, 50.0, 3::bigint) $$, 'a campaign');
select results_eq($$ select viewed, clicked, replied from spoor.message_report where message < 4 order by message $$,
                  $$ values (1::bigint, 1::bigint, 0::bigint), (1, 1, 0), (1, 0, 1) $$, 'a mail: a click and a reply say that it was viewed');
select results_eq($$ select viewed, first_viewed_at is null from spoor.recipient_report where message > 1 and message < 4
                     order by message, address $$,
                  $$ values (false, true), (true, true), (true, true), (false, true) $$, 'and so for each recipient');
select is((select sum(mails) from spoor.daily_report()), 5::numeric, 'all days together');
select results_eq(
    $$ select day, mails from spoor.daily_report(now() - interval '4 days', now(), 'Pacific/Kiritimati') where mails > 0 $$,
    $$ select (sent_at at time zone 'Pacific/Kiritimati')::date, 5::bigint from spoor.message where id = 1 $$,
    'a day is one of the time zone that was named');

-- Whoever opened a document has seen the mail; what only seems so has not
insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject, campaign)
    values (6, now() - interval '2 days', 1000, 'individual', 1, 3, 'eve@example.com', 'eve@example.com', 'Mail 6', 'files');
insert into spoor.campaign values ('files');
insert into spoor.recipient (message, address, key) select 6, 'p' || k || '@files.test', k from generate_series(31, 33) k;
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select now() - interval '1 day', 6, record, recipient, 0, 1, 1, kind::"char", verdict::"char", 0, '192.0.2.1'
from (values (61, 31, 'O', 'h'), (62, 32, 'O', 'u'), (63, 33, 'O', 'b'), (64, 31, 'D', 'h')) e (record, recipient, kind, verdict);
select results_eq(
    $$ select with_picture, viewed, view_rate, persons_viewed, views, clicked, machine_events from spoor.sender_report
       where owner = 'eve@example.com' $$,
    $$ values (1::bigint, 1::bigint, 100.0, 1::bigint, 0::bigint, 0::bigint, 0::bigint) $$, 'a sender: an opened document is a view');
select results_eq($$ select viewed, view_rate from spoor.recipient_domain_report where domain = 'files.test' $$,
                  $$ values (1::bigint, 33.3) $$, 'a domain too');
select results_eq($$ select viewed, clicked from spoor.campaign_report where campaign = 'files' $$, $$ values (1::bigint, 0::bigint) $$,
                  'and a campaign');
select results_eq($$ select address, viewed, opened, opens, views from spoor.recipient_report where message = 6 order by address $$,
                  $$ values ('p31@files.test', true, true, 1::bigint, 0::bigint), ('p32@files.test', false, true, 1, 0),
                            ('p33@files.test', false, false, 0, 0) $$, 'and a recipient');
select spoor.delete_mails('{6}');
delete from spoor.campaign where name = 'files';

-- Administration
select throws_like($$ select spoor.forget('example.net') $$, '%no address of a person%', 'a domain is not forgotten');
select lives_ok($$ select spoor.set_policy(recipient => 'bob@example.net', level => 'aggregate') $$, 'policy is set');
select results_eq($$ select origin, level::text from spoor.policy_for('ann@example.com', 'Bob@example.net ') $$,
                  $$ values ('policy', 'aggregate') $$, 'and found');
select is((select count(*) from spoor.policy_lines()), 1::bigint, 'and told');
insert into spoor.sender (address) values ('bob@example.net');
insert into spoor.sender_login values ('bob', 'bob@example.net');
insert into spoor.invitation (hash, address, expires_at) values (sha256('1'), 'bob@example.net', now());
insert into spoor.sender_network values ('bob@example.net', '192.0.2.7', now(), now()), ('cy', '192.0.2.8', now(), now());
insert into spoor.device values ('00000000-0000-0000-0000-000000000001', 'bob@example.net', 'X');
insert into spoor.event_device values (1, 1, '00000000-0000-0000-0000-000000000002'),
    (1, 4, '00000000-0000-0000-0000-000000000001'), (1, 9, '00000000-0000-0000-0000-000000000003');
insert into spoor.sign_in_request (address) values ('bob@example.net');
insert into spoor.mail_choice (owner) values ('bob@example.net');
insert into spoor.rejected (spool, record, kind, version, reason, payload) values (1, 900, 3, 1, 'odd', 'xx bob@example.net');
select isnt_empty($$ select * from spoor.traces('bob@example.net') $$, 'the address is there');
select results_eq($$ select what, gone from spoor.forget('Bob@Example.net') where what in ('mails', 'events', 'answers') order by what $$,
                  $$ values ('answers', 1::bigint), ('events', 4), ('mails', 1) $$, 'forget says how much went');
select is_empty($$ select * from spoor.traces('bob@example.net') $$, 'the address is nowhere');
select results_eq($$ select owner from spoor.sender_network $$, $$ values ('cy') $$, 'nor do their networks stay');
select results_eq($$ select record from spoor.event_device $$, $$ values (9::bigint) $$, 'nor the marks of their browsers');
select ok(spoor.is_forgotten('bob@example.net') and not spoor.is_forgotten('cy@example.org'), 'and still known as forgotten');
select is(spoor.join_load(0), false, 'a loader that does not know is told');
select ok(spoor.remember('bob@example.net'), 'who is forgotten can be remembered');
select ok(not spoor.is_forgotten('bob@example.net'), 'and is then not forgotten');
select throws_like($$ select spoor.prune('1 hour') $$, '%younger than a day%', 'a slip does not prune all');
select results_eq($$ select gone from spoor.prune('36 hours') where what = 'mails' $$, $$ values (4::bigint) $$, 'mails that are older go');
select is_empty($$ select 1 from spoor.recipient union all select 1 from spoor.link $$, 'with all that is known of them');
select is_empty($$ select * from spoor.event_device $$, 'and the marks of the browsers');
select * from finish();
