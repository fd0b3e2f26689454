-- SPDX-License-Identifier: BSD-2-Clause
-- What an administrator types: bad input is refused and named, with what to do, and good input says what it did.
select plan(80);

create function pg_temp.refused(what text) returns text language plpgsql as $$
declare
    message text;
    hint text;
begin
    execute 'set local role spoor_admin';
    execute what;
    reset role;
    return null;
exception when others then
    get stacked diagnostics message = message_text, hint = pg_exception_hint;
    reset role;
    return sqlstate || ' ' || message || ' | ' || hint;
end $$;

create function pg_temp.said(what text) returns text language plpgsql as $$
declare
    answer text;
begin
    execute 'set local role spoor_admin';
    execute what into answer;
    reset role;
    return answer;
end $$;

-- who is no person
select matches(pg_temp.refused(format('select spoor.%s', replace(call, '?', quote_nullable(who)))),
               '^22023 .*no address of a person \| Write somebody@example.net', call || ' of ' || coalesce(who, 'null'))
    from unnest(array['forget(?)', 'remember(?)', 'stop_tracking(?)', 'invite(?)', 'set_consent(?, ''off'')', 'traces(?)',
                      'suppress(?)', 'unsuppress(?)']) call,
         unnest(array[null, '', 'example.net', 'a b@example.net', 'alice']) who;
-- but these are, and stand in the database as spoor-stamp writes them
select is(spoor.person(typed), person, 'person ' || typed)
    from (values (' <Bob@Example.NET> ', 'bob@example.net'), ('"Anna Lind"@example.com', '"anna lind"@example.com'),
                 ('anna@[IPv6:2001:DB8::1]', 'anna@[ipv6:2001:db8::1]'), (E'J\u00d6RG@example.com', E'j\u00d6rg@example.com'),
                 ('anna@localhost', 'anna@localhost')) t (typed, person);
select lives_ok($$ select spoor.forget('"anna lind"@example.com') $$, 'whoever has such an address can be forgotten');
-- a wish that a loader brings is never refused for the form of an address
insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner) values (70, now(), 1, 'individual', 1, 1, 'a@example.com');
insert into spoor.recipient (message, address, key) values (70, 'anna@[192.0.2.1]', 5);
select is(spoor.take_unsubscribe(70, '', 5, 'tracking', false, now(), null, null), 'no_event', 'who wants no tracking');
select results_eq($$ select address, level::text from spoor.consent where message = 70 $$, $$ values ('anna@[192.0.2.1]', 'off') $$,
                  'is written down, whatever the address looks like');

-- who gets no campaign mail
select is(pg_temp.said($$ select spoor.suppress(' <Carl@example.net> ') $$), 'true', 'suppress says that it is new');
select is(pg_temp.said($$ select spoor.suppress('carl@example.net') $$), 'false', 'or that it held already');
select results_eq($$ select address from spoor.suppressions() $$, array['carl@example.net'], 'and knows the address by either spelling');
select is(pg_temp.said($$ select spoor.unsuppress('Carl@example.net') $$), '1', 'it is taken back');
select is(pg_temp.said($$ select spoor.suppress('carl@example.net') $$), 'true', 'and said again');
select matches(pg_temp.refused($$ select spoor.suppress('carl@example.net', ' ') $$), '^22023 .* owner .* \| ', 'an owner has a name');

-- campaigns
insert into spoor.campaign (name) values ('spring');
select is(pg_temp.said($$ select spoor.stop_campaign('spring', ' <Bob@example.net> ') $$), 'true', 'a stop says that it is new');
select is(pg_temp.said($$ select spoor.stop_campaign('spring', 'bob@example.net') $$), 'false', 'or that there was one');
select is((select count(*) from spoor.campaign_stop where campaign = 'spring')::integer, 1, 'and then makes no second');
select matches(pg_temp.refused(what), refusal, what)
    from (values ($$ select spoor.stop_campaign('spring', 'no one') $$, '^22023 "no one" is no address or domain \| Write somebody@example.net'),
                 ($$ select spoor.stop_campaign('spring', '*') $$, '^22023 "\*" is no address or domain \|'),
                 ($$ select spoor.stop_campaign('spring', null) $$, '^22023 null is no address or domain \|'),
                 ($$ select spoor.stop_campaign('', 'bob@example.net') $$, '^22023 the name of a campaign has 1 to 200 bytes \|'),
                 ($$ select spoor.resume_campaign(null, 'bob@example.net') $$, '^22023 the name of a campaign has 1 to 200 bytes \|'),
                 ($$ select spoor.resume_campaign('spring', 'no one') $$, '^22023 "no one" is no address or domain \|')) t (what, refusal);
select is(pg_temp.said($$ select spoor.resume_campaign('spring', 'BOB@example.net') $$), '1', 'a stop is taken back');

-- policy
select matches(pg_temp.refused(what), refusal, what)
    from (values ($$ select spoor.drop_policy() $$, '^22023 a policy is about one sender or one recipient \| For example'),
                 ($$ select spoor.set_policy_campaign(null, 'spring') $$, '^22023 null is no address, domain or \* \|'),
                 ($$ select spoor.drop_policy_campaign('no one') $$, '^22023 "no one" is no address, domain or \* \|'),
                 ($$ select spoor.set_consent('bob@example.net', 'off', given_at => now() + interval '2 days') $$, '^22023 .* not ahead \| '),
                 ($$ select spoor.set_policy(sender => 'a@example.com', files => ' ') $$, '^22023 files must be patterns .* \| For example')) t (what, refusal);

-- invitations
select matches(pg_temp.refused(format('select spoor.invite(''ann@example.com'', %L)', valid)), '^22023 an invitation .* \| ', 'valid for ' || coalesce(valid, 'null'))
    from unnest(array[null, '-1 day', '1 year']) valid;
select matches(pg_temp.said($$ select spoor.invite('<Ann@example.com>') $$), '^/feed/in/', 'an invitation');
select results_eq('select address from spoor.sender', array['ann@example.com'], 'makes the sender known by the address alone');

-- the rest
select is(pg_temp.said('select spoor.retire_spool(4711)'), 'false', 'a number typed as it is names a spool');
select matches(pg_temp.refused(what), refusal, what)
    from (values ($$ select spoor.overrule('192.0.2.0/24', 'robot', 'x') $$, '^22023 "robot" is no verdict \| Write human, proxy'),
                 ($$ select spoor.overrule('192.0.2.0/24', 'bot', null) $$, '^22023 the reason is a word .* \| '),
                 ($$ select spoor.overrule(null, 'bot', 'x') $$, '^22023 no network is named \| '),
                 ($$ select spoor.replace_document(1, 4711) $$, '^22023 there is no document 4711 \| '),
                 ($$ select spoor.prune('1 hour') $$, '^22023 what is younger than a day is not pruned \| ')) t (what, refusal);
select * from finish();
