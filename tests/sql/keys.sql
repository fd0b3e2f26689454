-- SPDX-License-Identifier: BSD-2-Clause
-- Who has which key, as programs say it, and who is waited for; where a link leads whose key was revoked.
select plan(15);

delete from spoor.spool_progress; -- of the daemons that ran here before
insert into spoor.spool_progress (identity, host, program, retired_at)
values ('00000000-0000-0000-0000-000000000001', 'a', 'spoor-stamp', null), ('00000000-0000-0000-0000-000000000002', 'b', 'spoor-match', null),
       ('00000000-0000-0000-0000-000000000003', 'c', 'spoor-pixeld', null), ('00000000-0000-0000-0000-000000000004', 'd', 'spoor-pixeld', null),
       ('00000000-0000-0000-0000-000000000005', 'e', 'spoor-pixeld', now()), ('00000000-0000-0000-0000-000000000006', 'f', 'spoor-delivery', null);
create temporary view spool as select host, spool from spoor.spool_progress;
create function pg_temp.report(host text, ids smallint[], states text[], fingerprints bytea[]) returns void language sql as $$
    select spoor.report_keys(s.spool, ids, states, fingerprints) from spool s where s.host = report.host $$;

select pg_temp.report('a', '{1,2}', '{signs,verifies}', array['\x1111111111111111', '\x2222222222222222']::bytea[]);
select pg_temp.report('b', '{1}', '{signs}', array['\x1111111111111111']::bytea[]);
select pg_temp.report('c', '{1,2}', '{signs,verifies}', array['\x1111111111111111', '\x9999999999999999']::bytea[]);
select results_eq($$ select host, held from spoor.key_holders(2, '\x2222222222222222') order by host $$,
    $$ values ('a', 'verifies'), ('b', 'no'), ('c', 'other'), ('d', 'unreported') $$,
    'each program says its own; who is retired, or has no keys, is not waited for');
select results_eq($$ select host, held from spoor.key_holders(1, '\x1111111111111111') where host < 'd' order by host $$,
    $$ values ('a', 'signs'), ('b', 'signs'), ('c', 'signs') $$, 'all have the first');

select pg_temp.report('b', '{1,2}', '{revoked,signs}', array['\x1111111111111111', '\x2222222222222222']::bytea[]);
select results_eq($$ select held from spoor.key_holders(1, '\x1111111111111111') where host = 'b' $$, $$ values ('revoked') $$,
    'what is said later holds');
select pg_temp.report('b', '{2}', '{signs}', array['\x2222222222222222']::bytea[]);
select results_eq($$ select held from spoor.key_holders(1, '\x1111111111111111') where host = 'b' $$, $$ values ('no') $$,
    'and stands in place of all that was said before');
select results_eq($$ select distinct key::integer from spoor.used_key where fingerprint in ('\x1111111111111111', '\x2222222222222222', '\x9999999999999999')
                     order by 1 $$, $$ values (1), (2) $$, 'an id that was used is remembered');
update spoor.spool_progress set retired_at = null where host = 'e';
select results_eq($$ select held from spoor.key_holders(1, '\x1111111111111111') where host = 'e' $$, $$ values ('unreported') $$,
    'who comes back counts again');
select throws_like($$ select spoor.report_keys(999::smallint, '{1}', '{signs}', array['\x1111111111111111']::bytea[]) $$, '%belongs to%',
    'there is no such spool');
select throws_ok($$ select pg_temp.report('a', '{1}', '{sings}', array['\x1111111111111111']::bytea[]) $$, '22P02', null, 'nor such a state');
select throws_ok($$ select pg_temp.report('a', '{256}', '{signs}', array['\x1111111111111111']::bytea[]) $$, '23514', null, 'nor such an id');
select throws_ok($$ select pg_temp.report('a', '{1}', '{signs}', array['\x11']::bytea[]) $$, '23514', null, 'nor such a fingerprint');

insert into spoor.unjudged_hit (spool, record, at_time, target, verdict, reason, agent)
select 1, key, now(), '/o/a' || substr(digits, key / 64 + 1, 1) || substr(digits, key / 2 % 32 + 1, 1) || substr(digits, key % 2 * 16 + 1, 1) || '.gif', 'v', 0, 0
from (values (2), (77), (200)) t (key), (values ('abcdefghijklmnopqrstuvwxyz234567')) d (digits);
select results_eq($$ select value from spoor.health where name = 'spoor_unjudged_hits' $$, $$ values (1::bigint) $$,
    'a key that nobody has is not waited for: strangers invent them');

insert into spoor.link values (77, 1, 'https://a.example/?q=1'), (77, -1, 'https://b.example/');
select ok(spoor.link_leads_to(77, 1::smallint, 'https://a.example/?q=1'), 'a link leads where the mail said');
select ok(spoor.link_leads_to(77, -1::smallint, 'https://b.example/'), 'also one of a high number');
select ok(not spoor.link_leads_to(77, 1::smallint, 'https://b.example/'), 'not where another does');
select ok(not spoor.link_leads_to(78, 1::smallint, 'https://a.example/?q=1'), 'nor where that of another mail does');
select * from finish();
