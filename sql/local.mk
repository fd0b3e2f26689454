# SPDX-License-Identifier: BSD-2-Clause
# Migrations, applied in the order of their numbers by `spoorctl schema`.
migrationsdir = $(pkgdatadir)/sql
dist_migrations_DATA =
dist_migrations_DATA += sql/001-tables.sql
dist_migrations_DATA += sql/002-functions.sql
dist_migrations_DATA += sql/003-views.sql
dist_migrations_DATA += sql/004-roles.sql
dist_migrations_DATA += sql/005-campaigns.sql
dist_migrations_DATA += sql/006-verdicts.sql
dist_migrations_DATA += sql/007-delivery.sql
