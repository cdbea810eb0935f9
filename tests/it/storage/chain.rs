//! The audit chain: every edit, removal, reorder and cut is seen.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_appends_make_one_unbroken_chain() {
    on_every_database(async |db: &Database| {
        let other_process = db.open_again().await;
        let writers = [0, 1, 2, 3].map(|writer| {
            let storage = if writer < 2 { db.storage.clone() } else { other_process.clone() };
            tokio::spawn(async move {
                for n in 0..25 {
                    let mut tx = storage.begin().await.unwrap();
                    tx.append_event(&harjuvesi(), event(n)).await.unwrap();
                    tx.append_event(&harjuvesi(), event(n)).await.unwrap();
                    // Every fifth is given up: no gap may show.
                    if n % 5 != 4 {
                        tx.commit().await.unwrap();
                    }
                }
            })
        });
        for writer in writers {
            writer.await.unwrap();
        }
        let head = db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().unwrap();
        assert_eq!(head.seq, 4 * 20 * 2);
        assert_eq!(db.storage.audit_head(&harjuvesi()).await.unwrap(), head);
        other_process.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_appended_is_what_is_read_and_another_municipality_has_its_own_chain() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await;
        let mut tx = storage.begin().await.unwrap();
        let first = tx.append_event(&harjuvesi(), event(1)).await.unwrap();
        let about =
            NewEvent { case_id: Some(case.id), actor: Actor::from(&person(storage, Role::Approver)), ..event(2) };
        let second = tx.append_event(&harjuvesi(), about).await.unwrap();
        let other = tx.append_event(&neighbour(), event(1)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((first.seq, second.seq, other.seq), (1, 2, 1));
        assert_eq!(second.previous, first.hash);
        assert_ne!(other.hash, first.hash, "the municipality is part of the hash");
        assert_eq!(first.payload["share"], json!("0.25"), "no number with a fraction");
        assert_eq!(storage.timeline(&harjuvesi(), case.id).await.unwrap(), std::slice::from_ref(&second));
        assert_eq!(storage.timeline(&neighbour(), case.id).await.unwrap(), []);
        let head = audit::verify_chain(&harjuvesi(), [&first, &second], None, &[]).unwrap();
        assert_eq!(storage.audit_head(&harjuvesi()).await.unwrap(), head);
        assert_eq!(storage.audited_municipalities().await.unwrap(), [harjuvesi(), neighbour()]);
        assert_eq!(storage.verify_audit(&"ylaharju".parse().unwrap(), &[]).await.unwrap(), Ok(Head::start()));
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_tampering_is_seen() {
    // What is done to a chain of six events, and what the verifier says.
    let tampering = [
        ("update events set payload = replace(payload, '3', '4') where seq = 3", 3, Breach::Edited),
        ("update events set payload = payload || ' ' where seq = 3", 3, Breach::Edited),
        ("update events set actor = replace(actor, 'read', 'compose') where seq = 2", 2, Breach::Edited),
        ("update events set kind = 'approved' where seq = 2", 2, Breach::Edited),
        ("update events set at = at + 1 where seq = 6", 6, Breach::Edited),
        ("update events set case_id = '00000000-0000-7000-8000-000000000000' where seq = 2", 2, Breach::Edited),
        ("update events set previous = hash where seq = 2", 2, Breach::Unlinked),
        ("update events set hash = previous where seq = 4", 4, Breach::Edited),
        ("delete from events where seq = 1", 1, Breach::Removed),
        ("delete from events where seq = 3", 3, Breach::Removed),
        ("delete from events where seq = 6", 6, Breach::Cut),
        ("delete from events", 1, Breach::Cut),
        ("update events set seq = case seq when 99 then 4 else 99 end where seq = 3", 3, Breach::Removed),
        ("update events set seq = seq - 10", -9, Breach::Reordered),
        (
            "insert into events select municipality, 0, at, actor, kind, case_id, payload, previous, hash from events \
             where seq = 1",
            0,
            Breach::Reordered,
        ),
        // Removed and closed up again.
        ("delete from events where seq = 3; update events set seq = seq - 1 where seq > 3", 3, Breach::Unlinked),
        // Two events change places.
        (
            "update events set seq = 100 where seq = 2; update events set seq = 2 where seq = 3; \
             update events set seq = 3 where seq = 100",
            2,
            Breach::Unlinked,
        ),
        // Another municipality's event in place of ours; without ours the first stands alone.
        (
            "delete from events where municipality = 'harjuvesi'; \
             update events set municipality = 'harjuvesi' where municipality = 'lillsund'",
            1,
            Breach::Edited,
        ),
        ("update audit_heads set seq = 5", 6, Breach::Head),
        ("update audit_heads set seq = 7", 7, Breach::Cut),
        ("update audit_heads set hash = replace(hash, substr(hash, 1, 1), 'x')", 6, Breach::Head),
        ("delete from audit_heads", 6, Breach::Head),
        (
            "insert into events select municipality, 7, at, actor, kind, case_id, payload, hash, hash from events \
             where seq = 6",
            7,
            Breach::Edited,
        ),
    ];
    for (sql, seq, breach) in tampering {
        on_every_database(async |db: &Database| {
            for n in 1..=6 {
                append(&db.storage, &harjuvesi(), n).await;
            }
            append(&db.storage, &neighbour(), 1).await;
            assert_eq!(db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().unwrap().seq, 6);
            // The neighbour's rows take part only where a line says so.
            let only_ours = if sql.contains("lillsund") { sql.to_owned() } else { ours(sql) };
            assert_ne!(db.tamper(&only_ours).await, 0, "{sql}");
            let found = db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap();
            assert_eq!(found, Err(Broken { seq, breach }), "{sql}");
            if !sql.contains("lillsund") {
                assert!(db.storage.verify_audit(&neighbour(), &[]).await.unwrap().is_ok());
            }
        })
        .await;
    }
}

/// The statements, each narrowed to our municipality.
fn ours(sql: &str) -> String {
    let narrow = |statement: &str| {
        let word = if statement.contains(" where ") { "and" } else { "where" };
        format!("{} {word} municipality = 'harjuvesi'", statement.trim())
    };
    sql.split(';').map(narrow).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_cut_with_a_matching_head_is_seen_by_an_anchor() {
    on_every_database(async |db: &Database| {
        for n in 1..=6 {
            append(&db.storage, &harjuvesi(), n).await;
        }
        let anchor = db.storage.audit_head(&harjuvesi()).await.unwrap();
        assert_eq!(anchor.to_string().parse::<Head>().unwrap(), anchor);
        append(&db.storage, &harjuvesi(), 7).await;
        let verify = async || db.storage.verify_audit(&harjuvesi(), std::slice::from_ref(&anchor)).await.unwrap();
        assert!(verify().await.is_ok());

        db.tamper("delete from events where seq > 4").await;
        db.tamper("update audit_heads set seq = 4, hash = (select hash from events where seq = 4)").await;
        assert!(db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().is_ok(), "from within it looks whole");
        assert_eq!(verify().await, Err(Broken { seq: 5, breach: Breach::Cut }));
        // And so is a chain that was written anew.
        for n in [8, 9, 10] {
            append(&db.storage, &harjuvesi(), n).await;
        }
        assert!(db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().is_ok());
        assert_eq!(verify().await, Err(Broken { seq: 6, breach: Breach::Anchor }));
    })
    .await;
}

#[tokio::test]
async fn an_export_can_be_verified_without_the_service() {
    on_every_database(async |db: &Database| {
        // More than one batch of reading.
        let mut tx = db.storage.begin().await.unwrap();
        for n in 0..1_203 {
            tx.append_event(&harjuvesi(), event(n)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut lines = Vec::new();
        let head = db
            .storage
            .export_events(&harjuvesi(), |line| {
                lines.push(line.to_owned());
                Ok::<(), Error>(())
            })
            .await
            .unwrap();
        assert_eq!((lines.len(), head.seq), (1_205, 1_203));
        assert_eq!(audit::verify_export(None, &lines, &[]).unwrap(), (harjuvesi(), head.clone()));
        assert!(audit::verify_export(Some(&harjuvesi()), &lines, std::slice::from_ref(&head)).is_ok());

        let broken = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            audit::verify_export(None, &lines, &[]).unwrap_err()
        };
        let edited = |lines: &mut Vec<String>| lines[3] = lines[3].replace("\"step\":2", "\"step\":5");
        assert_eq!(broken(&edited), Broken { seq: 3, breach: Breach::Edited });
        let more = |lines: &mut Vec<String>| lines[3] = lines[3].replacen('{', "{\"x\":1,", 1);
        assert_eq!(broken(&more), Broken { seq: 3, breach: Breach::Unreadable });
        let removed = |lines: &mut Vec<String>| drop(lines.remove(5));
        assert_eq!(broken(&removed), Broken { seq: 5, breach: Breach::Removed });
        let swapped = |lines: &mut Vec<String>| lines.swap(5, 6);
        assert_eq!(broken(&swapped), Broken { seq: 5, breach: Breach::Removed });
        let cut = |lines: &mut Vec<String>| drop(lines.remove(1_203));
        assert_eq!(broken(&cut), Broken { seq: 1_203, breach: Breach::Cut });
        let headless = |lines: &mut Vec<String>| lines.truncate(1_204);
        assert_eq!(broken(&headless), Broken { seq: 1_204, breach: Breach::Cut });
        let renamed = |lines: &mut Vec<String>| lines[0] = lines[0].replace("harjuvesi", "lillsund");
        assert_eq!(broken(&renamed), Broken { seq: 1, breach: Breach::Edited });
        let nothing = |lines: &mut Vec<String>| lines.clear();
        assert_eq!(broken(&nothing), Broken { seq: 0, breach: Breach::Unreadable });
        let foreign = audit::verify_export(Some(&neighbour()), &lines, &[]).unwrap_err();
        assert_eq!(foreign.breach, Breach::Foreign);
    })
    .await;
}
