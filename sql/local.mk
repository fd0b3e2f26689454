# SPDX-License-Identifier: BSD-2-Clause
# Migrations, applied in the order of their numbers by `spoorctl schema`.
migrationsdir = $(pkgdatadir)/sql
dist_migrations_DATA =
dist_migrations_DATA += sql/001-tables.sql
dist_migrations_DATA += sql/002-functions.sql
dist_migrations_DATA += sql/003-judged.sql
dist_migrations_DATA += sql/004-roles.sql
dist_migrations_DATA += sql/005-campaigns.sql
dist_migrations_DATA += sql/006-verdicts.sql
dist_migrations_DATA += sql/007-delivery.sql
dist_migrations_DATA += sql/008-policy.sql
dist_migrations_DATA += sql/009-documents.sql
dist_migrations_DATA += sql/010-outbox.sql
dist_migrations_DATA += sql/011-accounts.sql
dist_migrations_DATA += sql/012-feed.sql
dist_migrations_DATA += sql/013-reports.sql
dist_migrations_DATA += sql/014-administration.sql
