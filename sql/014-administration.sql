-- SPDX-License-Identifier: BSD-2-Clause
-- Administration: what is done by hand in psql, and the rights on all that was made before.

revoke all on all functions in schema spoor from public;
grant select on all tables in schema spoor to spoor_admin;
grant execute on all functions in schema spoor to spoor_admin;
