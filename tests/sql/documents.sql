-- SPDX-License-Identifier: BSD-2-Clause
-- Files of mails: only their owner carries them on, those of mails that never left and those that no link shows go.
select plan(15);

insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender)
select 5000000 + n, now() - interval '2 hours' * n, 1000, 'individual', 1, 1, who || '@example.com', who || '@example.com'
from (values (1, 'ann'), (2, 'dan')) m (n, who);
insert into spoor.document (sha256, file_type, bytes, state, pages, created_at)
select sha256(name::bytea), 'pdf', 100, 'ready', 1, now() - interval '40 days' from unnest('{ann,dan,price,old,lost}'::text[]) name;
create function pg_temp.document(name text) returns bigint
    language sql as $$ select id from spoor.document where sha256 = sha256($1::bytea) $$;
insert into spoor.content (id, removed_at) overriding system value values (7, null), (8, now() - interval '40 days'), (9, now());
insert into spoor.attachment (message, number, document, file_name, content_type, bytes, stored_at)
select message, 1, pg_temp.document(name), name || '.pdf', 'application/pdf', 100, now() - age
from (values (5000001, 'ann', interval '2 hours'), (5000002, 'dan', '4 hours'), (5000003, 'lost', '40 days'), (5000004, 'ann', '1 hour'),
             (7, 'price', '40 days'), (8, 'old', '40 days'), (9, 'price', '40 days')) a (message, name, age);

-- carried
select set_eq($$ select spoor.carry_documents(5000010, 'ann@example.com', '{1,2,3,4,5}', '{5000001,5000002,7,8,5000004}', '{1,1,1,1,1}') $$,
              $$ values (1::smallint), (3::smallint) $$,
              'what the owner has sent and the library holds is carried; not what others sent, was taken out or never left');
select results_eq($$ select a.number, a.document from spoor.attachment a where a.message = 5000010 order by 1 $$,
                  $$ values (1::smallint, pg_temp.document('ann')), (3::smallint, pg_temp.document('price')) $$, 'it shows the same file');
select is_empty($$ select spoor.carry_documents(5000011, 'eve@example.com', '{1}', '{5000001}', '{1}') $$, 'nobody carries what is not theirs');

-- of a campaign mail that is refused
select spoor.stop_campaign('spring', 'bob@example.net');
insert into spoor.attachment (message, number, document, file_name, content_type, bytes)
select message, 1, pg_temp.document('ann'), 'ann.pdf', 'application/pdf', 100 from unnest('{5000020,5000021}'::bigint[]) message;
create function pg_temp.admit(id bigint, address text) returns setof spoor.block language sql as $$
    select * from spoor.admit(id, now(), 100, 'individual', 1::smallint, 'ann@example.com', 'ann@example.com', 'ann@example.com', 'Spring',
                              null, null, 'spring', 'mx', 'Q1', 1, array[address], array[11], array[false], array[2], false, '1 hour') $$;
select isnt_empty($$ select pg_temp.admit(5000020, 'bob@example.net') $$, 'Bob has ended the campaign');
select is_empty($$ select from spoor.attachment where message = 5000020 $$, 'the file of a mail that is refused is not kept');
select is_empty($$ select pg_temp.admit(5000021, 'cy@example.net') $$, 'Cy has not');
select isnt_empty($$ select from spoor.attachment where message = 5000021 $$, 'the file of a mail that goes is');

-- pruned
select spoor.ensure_partitions(now() - interval '41 days', now());
insert into spoor.document_view (view, started_at, last_at, message, document, recipient, visible_ms, trusted, number, verdict, automated)
select gen_random_uuid(), now() - age, now() - age, 7, pg_temp.document('price'), 0, 1000, 1, 1, 'h', false
from unnest('{40 days,1 hour}'::interval[]) age;
insert into spoor.reason (hash, name) values (gen_random_uuid(), 'test');
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select now() - age, 7, record, 0, 0, 1, 1, 'O', 'h', 0, '192.0.2.1'
from (values (1, interval '40 days'), (2, '1 hour')) e (record, age);
insert into spoor.document_event (spool, record, document) select 1, record, pg_temp.document('price') from generate_series(1, 2) record;
select lives_ok($$ select spoor.prune('30 days') $$, 'prunes');
select is_empty($$ select from spoor.attachment where message = 5000003 $$, 'files of mails that never left go in time');
select isnt_empty($$ select from spoor.attachment where message = 5000004 $$, 'but a mail may be on its way');
select set_eq($$ select id from spoor.content $$, $$ values (7), (9) $$, 'what was taken out of the library long ago goes');
select is(pg_temp.document('lost'), null, 'and with the last link the file');
select is(pg_temp.document('old'), null, 'also that of the library');
select results_eq($$ select count(*)::integer from spoor.document_view where message = 7 $$, $$ values (1) $$, 'old views of the library go');
select results_eq($$ select record from spoor.document_event where spool = 1 $$, $$ values (2::bigint) $$, 'and what belonged to events that went');
select * from finish();
