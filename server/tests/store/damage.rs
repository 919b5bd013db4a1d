//! How does the store react to a file that is truncated or damaged?

use super::*;

/// Opens a copy as a crash would leave it, with a changed log.
async fn open_after_crash(
    folder: &Folder,
    name: &str,
    change_log: impl FnOnce(&mut Vec<u8>),
) -> Result<usize, StoreError> {
    let crashed = Folder::new(name);
    std::fs::copy(folder.0.join("overview.db"), crashed.0.join("overview.db")).unwrap();
    let mut log = std::fs::read(folder.0.join("overview.db-wal")).unwrap();
    change_log(&mut log);
    std::fs::write(crashed.0.join("overview.db-wal"), log).unwrap();
    let store = Store::open(&crashed.address()).await?;
    Ok(store.load().await?.snapshot.components.len())
}

#[tokio::test]
async fn an_incomplete_last_transaction_in_the_log_is_ignored_but_a_gap_before_it_is_damage() {
    let folder = Folder::new("log");
    let store = Store::open(&folder.address()).await.unwrap();
    for server in ["a", "b", "c", "d"] {
        store.receive([beat(server, Role::Web, 1)]).await.unwrap();
    }
    let crash = async |name, change_log: fn(&mut Vec<u8>)| {
        open_after_crash(&folder, name, change_log).await
    };
    assert_eq!(crash("whole", |_| ()).await.unwrap(), 4);
    let torn = crash("torn", |log| log.truncate(log.len() - 100)).await;
    assert_eq!(torn.unwrap(), 3, "the last transaction was being written");
    let unwritten = crash("unwritten", |log| {
        let last = log.len() - 4_096;
        log[last..].fill(0);
    });
    assert_eq!(unwritten.await.unwrap(), 3);
    assert_eq!(crash("older", |log| log.extend([7; 3 * 4_120])).await.unwrap(), 4);
    let hole: fn(&mut Vec<u8>) = |log| {
        let middle = log.len() / 2;
        log[middle..middle + 8].fill(7);
    };
    for (name, change_log) in [("hole", hole), ("beginning", |log| log[16] ^= 1)] {
        let refused = crash(name, change_log).await.unwrap_err().to_string();
        assert!(refused.contains("its write-ahead log is damaged"), "{name}: {refused}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_not_written_to_again_but_damage_of_another_file_in_its_place_does_not_count()
 {
    let folder = Folder::new("damaged");
    let store = Store::open(&folder.address()).await.unwrap();
    store.receive([beat("web-1", Role::Web, 1)]).await.unwrap();
    let (here, there) = (folder.0.join("overview.db"), folder.0.join("elsewhere"));
    std::fs::rename(&here, &there).unwrap();
    std::fs::write(&here, "no database".repeat(1_000)).unwrap();
    let checks = tokio::time::timeout(Duration::from_secs(1), store.run_integrity_checks());
    assert!(checks.await.is_err(), "the checks go on");
    std::fs::rename(&there, &here).unwrap();
    store.receive([beat("web-1", Role::Web, 2)]).await.unwrap();
    let length = usize::try_from(std::fs::metadata(&here).unwrap().len()).unwrap();
    let mut file = std::fs::File::options().write(true).open(&here).unwrap();
    file.write_all(&vec![7; length]).unwrap();
    std::fs::remove_file(folder.0.join("overview.db-wal")).unwrap();
    store.run_integrity_checks().await;
    let refused = store.receive([beat("web-1", Role::Web, 3)]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
    assert_eq!(refused.outage(), DatabaseOutage::Corrupt);
}
