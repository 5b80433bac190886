//! What the role of a PostgreSQL database may do: make tables, use them, and change them when a new release does.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Bool, Nullable, Text},
};

use super::{
    AnyConnection,
    requirements::{Fault, list_all_tables, list_names},
};
use crate::config::DatabaseUrl;

/// What keeps the role from bringing the tables up to date.
pub(super) fn find_fault(
    conn: &mut AnyConnection,
    url: &DatabaseUrl,
) -> QueryResult<Option<Fault>> {
    if let Some(fault) = find_schema_fault(conn, url)? {
        return Ok(Some(fault));
    }
    Ok(list_tables_of_others(conn)?
        .map(|tables| format!("The tables of {url} cannot be brought up to date: {tables}.")))
}

fn find_schema_fault(conn: &mut AnyConnection, url: &DatabaseUrl) -> QueryResult<Option<Fault>> {
    let AnyConnection::Postgres(conn) = conn else {
        return Ok(None);
    };
    let schema: Option<String> =
        diesel::select(sql::<Nullable<Text>>("current_schema()::text")).get_result(conn)?;
    let Some(schema) = schema else {
        return Ok(Some(format!(
            "No schema of the search_path is in the database {url}: CREATE SCHEMA one, or reset search_path for the role of DATABASE_URL."
        )));
    };
    let (may, role): (bool, String) = diesel::select((
        sql::<Bool>("has_schema_privilege(current_schema(), 'CREATE')"),
        sql::<Text>("current_user::text"),
    ))
    .get_result(conn)?;
    Ok((!may).then(|| {
        format!(
            "The role {role} may not make tables in the schema {schema} of {url}: have the owner of the schema, or a superuser, GRANT CREATE ON SCHEMA {schema} TO {role}."
        )
    }))
}

/// Those of Parlour's tables that only another role may change, as a part of a sentence that says what to do; `None` when
/// there are none. What has such a name in another schema is not Parlour's.
///
/// # Errors
/// When the database fails.
pub fn list_tables_of_others(conn: &mut AnyConnection) -> QueryResult<Option<String>> {
    let AnyConnection::Postgres(pg) = conn else {
        return Ok(None);
    };
    let role: String =
        diesel::select(sql::<Text>("quote_ident(current_user::text)")).get_result(pg)?;
    let tables = list_names(
        conn,
        &format!(
            "SELECT relname || ' of ' || pg_get_userbyid(relowner) AS name FROM pg_class \
             WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')) \
             AND relkind IN ('r', 'p') AND NOT pg_has_role(relowner, 'USAGE') \
             AND relname IN ('__diesel_schema_migrations', '{}') ORDER BY relname",
            list_all_tables().join("', '")
        ),
    )?;
    Ok((!tables.is_empty()).then(|| {
        format!(
            "the role {role} may not change the tables of other roles ({}); as a superuser, run ALTER TABLE … OWNER TO {role} for each",
            tables.join(", ")
        )
    }))
}

/// What to do when `PostgreSQL` says that the role may not use the tables at all; `None` for any other cause.
#[must_use]
pub fn explain_denial(url: &DatabaseUrl, cause: &str) -> Option<String> {
    cause.contains("permission denied for").then(|| {
        format!(
            "The role of DATABASE_URL may not use the tables of {url} ({cause}), which belong to another role, as after a restore by a superuser: as a superuser, run ALTER TABLE … OWNER TO that role for each of them."
        )
    })
}

/// What the role may not do to the tables, like `INSERT on messages`.
///
/// # Errors
/// When the database fails.
pub fn list_missing_rights(conn: &mut AnyConnection) -> QueryResult<Vec<String>> {
    if matches!(conn, AnyConnection::Sqlite(_)) {
        return Ok(Vec::new());
    }
    list_names(
        conn,
        &format!(
            "SELECT p || ' on ' || t AS name FROM unnest(ARRAY['{}']) AS t, \
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p \
             WHERE to_regclass(t) IS NOT NULL AND NOT has_table_privilege(t, p)",
            list_all_tables().join("', '")
        ),
    )
}
