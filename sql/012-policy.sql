-- SPDX-License-Identifier: BSD-2-Clause
-- Policy: whose mail is tracked how far, for whom, which campaign it belongs to, and whose login is whose.

create type spoor.policy_side as enum ('sender', 'recipient');
comment on type spoor.policy_side is 'Whether a policy is about mail from somebody, or to somebody.';

create table spoor.policy (
    side spoor.policy_side not null,
    who text not null check (spoor.is_whom(who)),
    level spoor.tracking_level,
    views boolean,
    links boolean,
    documents boolean,
    files text check (files <> '' and files !~ '[[:cntrl:]]' and length(files) <= 1000),
    files_from bigint check (files_from >= 0),
    set_at timestamptz not null default now(),
    set_by name not null default session_user,
    primary key (side, who),
    check (files is not null or files_from is null)
);
comment on table spoor.policy is 'How far mail from or to somebody is tracked, one row each. Of all rows that concern a mail the most restrictive holds; what a row leaves null it does not restrict. See spoor.set_policy().';
comment on column spoor.policy.side is 'sender: mail of this owner or with this From; recipient: mail to this address.';
comment on column spoor.policy.who is 'An address in normal form, a domain, or * for everybody.';
comment on column spoor.policy.level is 'How much is kept about recipients at most. Of a recipient it holds for the whole mail, unless each has a copy.';
comment on column spoor.policy.views is 'false: no picture.';
comment on column spoor.policy.links is 'false: links stay as they are.';
comment on column spoor.policy.documents is 'false: files are never taken out, whatever other rows or the mail ask for.';
comment on column spoor.policy.files is 'Which attached files are taken out and shown page by page: patterns with blanks between, such as *.pdf *.docx; * is any run of characters.';
comment on column spoor.policy.files_from is 'Only files of so many bytes or more; null: of any size.';
comment on column spoor.policy.set_at is 'Since when.';
comment on column spoor.policy.set_by is 'Database user who said so.';

create table spoor.policy_campaign (
    sender text not null check (spoor.is_whom(sender)),
    campaign text not null check (campaign <> '' and campaign = btrim(campaign) and octet_length(campaign) <= 200
                                  and campaign !~ '[[:cntrl:]]'),
    header text not null default 'Subject' check (header ~ '^[!-9;-~]{1,100}$'),
    pattern text not null default '*' check (pattern <> '' and pattern !~ '[[:cntrl:]]' and length(pattern) <= 500),
    set_at timestamptz not null default now(),
    set_by name not null default session_user,
    primary key (sender, header, pattern)
);
comment on table spoor.policy_campaign is 'Which mail without X-Spoor-Campaign belongs to a campaign all the same. Of several rows that fit the one of the address comes before that of its domain, and the longer pattern first. See spoor.set_policy_campaign().';
comment on column spoor.policy_campaign.sender is 'Owner or From: an address (with its +tag, if it has one), a domain, or * for everybody.';
comment on column spoor.policy_campaign.campaign is 'Name of the campaign, as it would stand in X-Spoor-Campaign.';
comment on column spoor.policy_campaign.header is 'Header field that tells.';
comment on column spoor.policy_campaign.pattern is 'What that field reads, without regard to case; * is any run of characters, and alone it fits any mail.';
comment on column spoor.policy_campaign.set_at is 'Since when.';
comment on column spoor.policy_campaign.set_by is 'Database user who said so.';

create type spoor.consent_way as enum ('administrator', 'page', 'import', 'mail', 'spoken', 'contract');
comment on type spoor.consent_way is 'How somebody said how far to be tracked: at the page behind the link in a mail, in writing, or an administrator has it from elsewhere.';

create table spoor.consent (
    number bigint generated always as identity primary key,
    address text not null check (spoor.is_whom(address) and strpos(address, '@') > 1),
    level spoor.tracking_level not null,
    given_at timestamptz not null default now(),
    way spoor.consent_way not null default 'administrator',
    message bigint,
    note text,
    entered_at timestamptz not null default now(),
    entered_by name not null default session_user
);
create index consent_address on spoor.consent (address, number desc);
comment on table spoor.consent is 'What recipients have said about being tracked, each time they said it; the last word of an address holds, like a policy. See spoor.set_consent() and spoor.consent_report.';
comment on column spoor.consent.number is 'Counts them.';
comment on column spoor.consent.address is 'Who: an address in normal form.';
comment on column spoor.consent.level is 'off: mail to them is not tracked; aggregate: only counted; individual: they agree.';
comment on column spoor.consent.given_at is 'When they said so.';
comment on column spoor.consent.way is 'How.';
comment on column spoor.consent.message is 'The mail whose link they followed.';
comment on column spoor.consent.note is 'What else is known of it: a contract''s number, who took the call.';
comment on column spoor.consent.entered_at is 'When it was written down.';
comment on column spoor.consent.entered_by is 'Database user who wrote it down.';

create view spoor.consent_report as
select distinct on (c.address)
       c.address, c.level, c.given_at, c.way, c.note, c.message,
       count(*) over (partition by c.address) as times
from spoor.consent c
order by c.address, c.number desc;
comment on view spoor.consent_report is 'One row a recipient who has said something about being tracked: what holds, since when and how it was given.';
comment on column spoor.consent_report.address is 'Who.';
comment on column spoor.consent_report.level is 'What holds: off, aggregate or individual.';
comment on column spoor.consent_report.given_at is 'When it was given.';
comment on column spoor.consent_report.way is 'How.';
comment on column spoor.consent_report.note is 'What else is known of it.';
comment on column spoor.consent_report.message is 'The mail whose link was followed.';
comment on column spoor.consent_report.times is 'How often this person has said something; all of it is in spoor.consent.';

create table spoor.sender_login (
    login text primary key
        constraint login_is_lower_case check (login = lower(login))
        constraint login_is_a_word check (login <> '' and login = btrim(login) and login !~ '[[:cntrl:]]' and length(login) <= 320),
    address text not null constraint address_of_a_person check (spoor.is_whom(address) and strpos(address, '@') > 1)
);
create index sender_login_address on spoor.sender_login (address);
comment on table spoor.sender_login is 'Whose mail it is that is submitted under a login of the mail server, where the login is no address, or not the owner''s. A login that is an address and not here is its own owner. spoor-stamp writes the owner into the mail''s row, so a change holds for new mail only.';
comment on column spoor.sender_login.login is 'As the mail server knows it (SASL), in lower case; case does not count.';
comment on column spoor.sender_login.address is 'The owner: an address in normal form, as in spoor.sender and spoor.message.owner.';

-- What spoor-stamp holds in memory: the text that common/policy.h describes

create function spoor.policy_lines() returns setof text
    language sql stable
    as $$
    select concat_ws(e'\t', 'policy', side, who, coalesce(level::text, ''), coalesce(views::text, ''), coalesce(links::text, ''),
                     coalesce(documents::text, ''), coalesce(files, ''), coalesce(files_from::text, ''))
    from spoor.policy
    union all
    select concat_ws(e'\t', 'policy', 'recipient', c.address, c.level, '', '', '', '', '')
    from (select distinct on (address) address, level from spoor.consent order by address, number desc) c
    where c.level <> 'individual'
    union all
    select concat_ws(e'\t', 'campaign', sender, campaign, header, pattern) from spoor.policy_campaign
    union all
    select concat_ws(e'\t', 'login', login, address) from spoor.sender_login $$;
comment on function spoor.policy_lines() is 'All of policy, what consent adds to it, and whose logins are whose, as the lines that spoor-stamp reads.';

create function spoor.tell_policy() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    perform pg_notify('spoor_policy', '');
    return null;
end $$;
comment on function spoor.tell_policy() is 'Tells the programs that policy has changed, so that they read it again.';

create trigger policy_changed after insert or update or delete or truncate on spoor.policy
    for each statement execute function spoor.tell_policy();
create trigger policy_changed after insert or update or delete or truncate on spoor.policy_campaign
    for each statement execute function spoor.tell_policy();
create trigger policy_changed after insert or update or delete or truncate on spoor.consent
    for each statement execute function spoor.tell_policy();
alter table spoor.consent enable always trigger policy_changed; -- replication brings consent too, see spoor.found_came()
create trigger policy_changed after insert or update or delete or truncate on spoor.sender_login
    for each statement execute function spoor.tell_policy();

-- For people

create function spoor.set_policy(sender text default null, recipient text default null, level spoor.tracking_level default null,
                                 views boolean default null, links boolean default null, documents boolean default null,
                                 files text default null, files_from bigint default null) returns spoor.policy
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    made spoor.policy;
begin
    if (sender is null) = (recipient is null) then
        raise exception 'a policy is about one sender or one recipient'
            using errcode = 'invalid_parameter_value',
                  hint = 'For example: select spoor.set_policy(recipient => ''example.net'', level => ''off'')';
    end if;
    if num_nulls(level, views, links, documents, files) = 5 then
        raise exception 'this policy says nothing'
            using errcode = 'invalid_parameter_value',
                  hint = 'Give level, views, links, documents or files; spoor.drop_policy() takes a policy back.';
    end if;
    if btrim(files) = '' or files ~ '[[:cntrl:]]' or length(files) > 1000 then
        raise exception 'files must be patterns such as *.pdf *.docx, with blanks between'
            using errcode = 'invalid_parameter_value',
                  hint = 'For example: select spoor.set_policy(sender => ''alice@example.com'', files => ''*.pdf *.docx'')';
    end if;
    if files is null and files_from is not null then
        raise exception 'files_from needs files' using errcode = 'invalid_parameter_value',
            hint = 'For files of any name: files => ''*''';
    end if;
    if files_from < 0 then
        raise exception 'files_from is a number of bytes, not %', files_from using errcode = 'invalid_parameter_value';
    end if;
    insert into spoor.policy as p (side, who, level, views, links, documents, files, files_from)
        values (case when sender is not null then 'sender' else 'recipient' end::spoor.policy_side,
                spoor.whom(coalesce(sender, recipient)), level, views, links, documents, btrim(files), files_from)
        on conflict on constraint policy_pkey do update
            set level = excluded.level, views = excluded.views, links = excluded.links, documents = excluded.documents,
                files = excluded.files, files_from = excluded.files_from, set_at = now(), set_by = session_user
        returning p.* into made;
    return made;
end $$;
comment on function spoor.set_policy(text, text, spoor.tracking_level, boolean, boolean, boolean, text, bigint)
    is 'Says how far mail from a sender or to a recipient (an address, a domain or *) is tracked, in place of what was said of them before. Name the arguments: set_policy(recipient => ''example.net'', level => ''off''), set_policy(sender => ''alice@example.com'', files => ''*.pdf'').';

create function spoor.drop_policy(sender text default null, recipient text default null) returns boolean
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    whose text;
begin
    if (sender is null) = (recipient is null) then
        raise exception 'a policy is about one sender or one recipient'
            using errcode = 'invalid_parameter_value', hint = 'For example: select spoor.drop_policy(recipient => ''example.net'')';
    end if;
    whose := spoor.whom(coalesce(sender, recipient));
    delete from spoor.policy p
        where p.side = case when sender is not null then 'sender' else 'recipient' end::spoor.policy_side and p.who = whose;
    return found;
end $$;
comment on function spoor.drop_policy(text, text) is 'Takes back what spoor.set_policy() has said of a sender or recipient; false when there was nothing.';

create function spoor.set_policy_campaign(sender text, campaign text, pattern text default '*', header text default 'Subject')
    returns spoor.policy_campaign
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    made spoor.policy_campaign;
    whose text := spoor.whom(sender);
begin
    if coalesce(btrim(campaign), '') = '' or octet_length(btrim(campaign)) > 200 or campaign ~ '[[:cntrl:]]' then
        raise exception 'the name of a campaign has 1 to 200 bytes' using errcode = 'invalid_parameter_value';
    end if;
    if coalesce(header, '') !~ '^[!-9;-~]{1,100}$' then
        raise exception '"%" is no name of a header field', header
            using errcode = 'invalid_parameter_value', hint = 'Write it as it stands in a mail, without a colon: Subject.';
    end if;
    if coalesce(pattern, '') = '' or pattern ~ '[[:cntrl:]]' or length(pattern) > 500 then
        raise exception 'the pattern has 1 to 500 characters; * is any run of them' using errcode = 'invalid_parameter_value';
    end if;
    insert into spoor.policy_campaign as p (sender, campaign, header, pattern)
        values (whose, btrim(campaign), header, pattern)
        on conflict on constraint policy_campaign_pkey do update
            set campaign = excluded.campaign, set_at = now(), set_by = session_user
        returning p.* into made;
    return made;
end $$;
comment on function spoor.set_policy_campaign(text, text, text, text) is 'Mail of a sender whose header field (Subject, if none is named) fits a pattern belongs to a campaign, as if it had X-Spoor-Campaign: set_policy_campaign(''sales+spring@example.com'', ''spring''), set_policy_campaign(''example.com'', ''spring'', ''*spring offer*'').';

create function spoor.drop_policy_campaign(sender text, campaign text default null) returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    whose text := spoor.whom(sender);
    gone bigint;
begin
    delete from spoor.policy_campaign p
        where p.sender = whose and (drop_policy_campaign.campaign is null or p.campaign = btrim(drop_policy_campaign.campaign));
    get diagnostics gone = row_count;
    return gone;
end $$;
comment on function spoor.drop_policy_campaign(text, text) is 'Takes back what spoor.set_policy_campaign() has said of a sender, of one campaign or of all; gives how many.';

create function spoor.set_consent(address text, level spoor.tracking_level, way spoor.consent_way default 'administrator',
                                  given_at timestamptz default now(), note text default null) returns spoor.consent
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_variable
declare
    made spoor.consent;
    whose text := spoor.person(address);
begin
    if level is null or way is null or given_at is null or given_at > now() + interval '1 day' then
        raise exception 'consent needs a level, a way and a time that is not ahead'
            using errcode = 'invalid_parameter_value',
                  hint = 'For example: select spoor.set_consent(''bob@example.net'', ''aggregate'', ''spoken'')';
    end if;
    insert into spoor.consent as c (address, level, way, given_at, note) values (whose, level, way, given_at, note)
        returning c.* into made;
    return made;
end $$;
comment on function spoor.set_consent(text, spoor.tracking_level, spoor.consent_way, timestamptz, text)
    is 'Writes down what a recipient has said about being tracked: off, aggregate or individual, how and when. From then on it holds for mail to them.';

create function spoor.policy_for(sender text, recipient text default null)
    returns table (side spoor.policy_side, who text, level spoor.tracking_level, views boolean, links boolean, documents boolean,
                   files text, files_from bigint, origin text)
    language sql stable
    as $$
    select p.side, p.who, p.level, p.views, p.links, p.documents, p.files, p.files_from, 'policy'
    from spoor.policy p
    where (p.side = 'sender' and p.who in (spoor.normal_form($1), spoor.domain_of(spoor.normal_form($1)), '*'))
          or (p.side = 'recipient' and p.who in (spoor.normal_form($2), spoor.domain_of(spoor.normal_form($2)), '*'))
    union all
    (select 'recipient', c.address, c.level, null, null, null, null, null, 'consent, by ' || c.way
     from spoor.consent_report c where c.address = spoor.normal_form($2)) $$;
comment on function spoor.policy_for(text, text) is 'What is said of mail from a sender, and to a recipient: each row that concerns it, and what that person has agreed to. The most restrictive holds.';

create function spoor.may_be_named(address text) returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    select not exists (select from spoor.policy p where p.side = 'recipient' and p.level <> 'individual'
                                                        and p.who in ($1, spoor.domain_of($1), '*'))
           and coalesce((select c.level = 'individual' from spoor.consent c where c.address = $1 order by c.number desc limit 1), true) $$;
comment on function spoor.may_be_named(text) is 'Whether policy and consent let somebody be named of whom no milter has said that he is a recipient. Of the empty address: whether they let anybody.';

grant select on spoor.policy, spoor.policy_campaign, spoor.consent, spoor.sender_login to spoor_milter;
grant execute on function spoor.policy_lines() to spoor_milter;
grant insert, update, delete on spoor.policy, spoor.policy_campaign, spoor.sender_login to spoor_admin;
grant insert on spoor.consent to spoor_admin;
