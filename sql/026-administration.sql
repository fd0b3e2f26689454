-- SPDX-License-Identifier: BSD-2-Clause
-- Administration: which programs there are, numbers to watch, and the rights on all that was made before.

create view spoor.node_report as
select p.spool,
       n.node,
       p.program,
       p.host,
       greatest(p.updated_at, p.entered_at) as last_seen,
       p.position,
       p.retired_at
from spoor.spool_progress p left join spoor.node n on n.identity = p.identity
order by p.retired_at is not null, p.program, p.host, p.spool;
comment on view spoor.node_report is 'One row a spool, and so a program on a host: when it was last heard of, and whether somebody still waits for it.';
comment on column spoor.node_report.spool is 'Short number of the spool; spoor.retire_spool() takes it.';
comment on column spoor.node_report.node is 'Node number, where the program makes message ids.';
comment on column spoor.node_report.program is 'Program that writes it.';
comment on column spoor.node_report.host is 'Host on which it lies.';
comment on column spoor.node_report.last_seen is 'When records last came from it, or its loader last began a session.';
comment on column spoor.node_report.position is 'How far it is loaded.';
comment on column spoor.node_report.retired_at is 'Since when nobody waits for it any more.';

-- Health

create function spoor.outbox_numbers() returns table (sink text, due bigint, dead bigint, lag_s bigint, troubled integer)
    language sql stable security definer rows 10
    set search_path = pg_catalog, pg_temp
    as $$ select l.sink, l.due, l.dead, l.lag_s, (l.trouble is not null)::integer from spoor.outbox_lag() l $$;
comment on function spoor.outbox_numbers() is 'Of spoor.outbox_lag() what is no text of the other side.';

create view spoor.health as
select 'spoor_schema_version' as name, '' as labels, s.version::bigint as value, 'Number of the last migration.' as meaning from spoor.schema s
union all
select 'spoor_loaded_seconds', '', coalesce(extract(epoch from now() - (
           select b.loaded_at from spoor.batch b order by b.number desc limit 1)), 0)::bigint,
       'How long ago anything was loaded.'
union all
select 'spoor_rejected_records', '', count(*), 'Records that the database refused, in spoor.rejected.' from spoor.rejected
union all
select 'spoor_unjudged_hits', '', count(*), 'Hits that wait for a key that some program has.' from spoor.unjudged_hit u
where exists (select from spoor.node_key k where k.key = spoor.token_key(u.target)) -- anybody can invent others
union all
select 'spoor_erasures_open', '', count(*), 'Spools that may still hold something of who is forgotten, in spoor.erasure.' from spoor.erasure
union all
select m.name, format(m.label, r.shard), m.value, m.meaning
from spoor.replication() r cross join lateral (values
    ('spoor_untold_bytes', 'to="%s"', r.untold,
     'Bytes of this server''s log that another server, by its number in shards, has not followed yet; they are kept on this one''s disk.'),
    ('spoor_slot_there', 'to="%s"', case r.way when 'tells' then (r.state <> 'lost')::integer end,
     '0 when what this server tells another is lost for it: spoorctl schema upgrade copies all anew.'),
    ('spoor_subscription_works', 'from="%s"', case r.way when 'follows' then (r.state = 'fine')::integer end,
     '1 while this server follows what another tells it.')) m (name, label, value, meaning)
where m.value is not null
union all
select 'spoor_documents', format('state="%s"', w.state), count(d.id), 'Documents by how far their pages are.'
from unnest(enum_range(null::spoor.document_state)) w (state) left join spoor.document d on d.state = w.state group by w.state
union all
select 'spoor_documents_failed', format('reason="%s"', d.reason), count(*), 'Documents that could not be converted, by reason.'
from spoor.document d where d.state = 'failed' group by d.reason
union all
select 'spoor_render_lag_seconds', '', coalesce(extract(epoch from now() - min(greatest(d.created_at, d.not_before))), 0)::bigint,
       'For how long the document that waits longest could have been converted.'
from spoor.document d where d.state = 'pending' and d.not_before <= now()
union all
select m.name, format('sink="%s"', regexp_replace(l.sink, '["\\[:cntrl:]]', '_', 'g')), m.value, m.meaning
from spoor.outbox_numbers() l cross join lateral (values
    ('spoor_sink_due', l.due, 'Events that could have gone to the sink already.'),
    ('spoor_sink_lag_seconds', l.lag_s, 'For how long the oldest of these has been due.'),
    ('spoor_sink_dead', l.dead, 'Events that were given up.'),
    ('spoor_sink_trouble', l.troubled::bigint, '1 while nothing goes to the sink.')) m (name, value, meaning);
comment on view spoor.health is 'Numbers to watch, a row each, for people and for exporters; spoorctl metrics prints them for Prometheus.';
comment on column spoor.health.name is 'As Prometheus names it.';
comment on column spoor.health.labels is 'What it is about, as label="value"; empty: all.';
comment on column spoor.health.value is 'The number; all can go up and down.';
comment on column spoor.health.meaning is 'What it tells.';

grant select on spoor.schema, spoor.shard, spoor.health to spoor_monitor;
grant select on spoor.health to spoor_milter, spoor_pixeld, spoor_delivery;
grant execute on function spoor.outbox_numbers(), spoor.token_key(text), spoor.replication() to spoor_monitor, spoor_milter, spoor_pixeld, spoor_delivery;

-- Rights on all that was made before

revoke all on all functions in schema spoor from public;
grant select on all tables in schema spoor to spoor_admin;
revoke select on spoor.forget_salt from spoor_admin;
grant execute on all functions in schema spoor to spoor_admin;
revoke execute on function spoor.forgotten_lines() from spoor_admin; -- it tells the salt
