//! The acts, in their order.

use std::time::Duration;

use tempfile::TempDir;

use super::{
    Broken, Result, demand,
    disk::{self, Disk},
    person::Person,
    server::Server,
    stage::Stage,
};

/// Messages of the last act, each sent when the one before was acknowledged.
const RUSH: usize = 200;

/// Who and what is on the stage. The server comes before its folder: it ends first.
struct Cast {
    server: Server,
    alice: Person,
    bob: Person,
    /// Messages that were acknowledged as new.
    stored: usize,
    /// Sockets that were opened.
    sockets: usize,
}

/// Tells everything; the first thing that does not hold ends it.
pub async fn tell(stage: &mut Stage) -> Result<()> {
    stage
        .open(
            "Parlour in a minute",
            "A real server, real sockets, a real crash; all of it in a temporary folder. Ctrl-C leaves.",
        )
        .await;
    let folder = tempfile::Builder::new()
        .prefix("parlour-demo-")
        .tempdir()
        .map_err(|error| Broken::new(format!("No temporary folder can be made ({error}).")))?;
    let mut cast = begin(stage, &folder).await?;
    chat(stage, &mut cast).await?;
    at_rest(stage, &mut cast).await?;
    retry(stage, &mut cast).await?;
    crash(stage, &mut cast).await?;
    numbers(stage, &mut cast).await?;
    end(stage, cast, folder).await
}

async fn begin(stage: &mut Stage, folder: &TempDir) -> Result<Cast> {
    stage.title("A server, and two people").await;
    let server = Server::start(folder.path(), 0).await?;
    stage
        .holds(&format!(
            "It listens on {} after {}, and has made its database and its keys.",
            server.url.as_str().trim_end_matches('/'),
            millis(server.start_took)
        ))
        .await;
    let mut alice = Person::register(&server.url, "alice", "correct horse battery").await?;
    let mut bob = Person::register(&server.url, "bob", "staple in the haystack").await?;
    stage.holds("alice and bob have registered.").await;
    let answer = bob.mistype().await?;
    stage
        .holds(&format!(
            "bob mistypes his password and is refused: “{answer}”"
        ))
        .await;
    alice.log_in().await?;
    bob.log_in().await?;
    stage.holds("With the right ones both are in.").await;
    Ok(Cast {
        server,
        alice,
        bob,
        stored: 0,
        sockets: 0,
    })
}

async fn chat(stage: &mut Stage, cast: &mut Cast) -> Result<()> {
    stage.title("They talk").await;
    cast.alice.connect().await?;
    cast.bob.connect().await?;
    cast.sockets += 2;
    for (alice_speaks, text) in [
        (true, "Morning! Is the new chat up?"),
        (false, "It is. One binary, no cloud."),
        (true, "And who can read along?"),
    ] {
        let (speaker, listener) = if alice_speaks {
            (&mut cast.alice, &mut cast.bob)
        } else {
            (&mut cast.bob, &mut cast.alice)
        };
        stage.says(speaker.name, text).await;
        let (ack, took) = speaker.say(text, None).await?;
        let heard = listener.hear(ack.id).await?;
        demand(
            heard.content == text && heard.username == speaker.name,
            "A message came in as something else than was sent.",
        )?;
        cast.stored += 1;
        stage
            .remark(&format!(
                "         message {}: on the disk and acknowledged after {}; {} has it",
                ack.id,
                millis(took),
                listener.name
            ))
            .await;
    }
    Ok(())
}

async fn at_rest(stage: &mut Stage, cast: &mut Cast) -> Result<()> {
    stage.title("What a thief of the disk gets").await;
    let text = "The code for the door is 4711.";
    stage.says("alice", text).await;
    let (ack, _) = cast.alice.say(text, None).await?;
    cast.stored += 1;
    let file = cast.server.database();
    let sealed = Disk::open(&file, cast.alice.id)?.sealed(ack.id)?;
    let read = cast.bob.read(ack.id).await?;
    stage.shows("in the database", &shortened(&sealed)).await;
    stage.shows("what bob reads", &read.content).await;
    demand(read.content == text, "bob reads something else.")?;
    let (there, length) = disk::search(&file, text)?;
    let (sealed_there, _) = disk::search(&file, &sealed)?;
    demand(!there, "The text lies in the clear on the disk.")?;
    demand(sealed_there, "The sealed text is not on the disk.")?;
    stage
        .holds(&format!(
            "{} kB of files were searched: the sealed text is there, the text is not.",
            length / 1024
        ))
        .await;

    stage
        .tell("Now somebody changes one letter of it, in the database itself.")
        .await;
    let forged = with_another_letter(&sealed);
    Disk::open(&file, cast.alice.id)?.replace(ack.id, &forged)?;
    let read = cast.bob.read(ack.id).await?;
    let shown = if read.unreadable {
        "unreadable"
    } else {
        &read.content
    };
    stage.shows("in the database", &shortened(&forged)).await;
    stage.shows("what bob reads", shown).await;
    demand(
        read.unreadable && read.content.is_empty(),
        "A forged text was taken for a real one.",
    )?;
    stage
        .holds("The forgery is noticed. It is shown as unreadable, neither believed nor hidden.")
        .await;
    Disk::open(&file, cast.alice.id)?.replace(ack.id, &sealed)?;
    demand(
        cast.bob.read(ack.id).await?.content == text,
        "With its letter back, the text cannot be read.",
    )?;
    stage
        .holds("With the letter put back, it reads again.")
        .await;
    stage
        .remark("The key is with the server: this is encryption at rest, not end-to-end.")
        .await;
    Ok(())
}

async fn retry(stage: &mut Stage, cast: &mut Cast) -> Result<()> {
    stage.title("Sent twice, stored once").await;
    let (text, name) = ("Pizza at noon?", "pizza-1");
    stage.says("bob", text).await;
    let (first, _) = cast.bob.say(text, Some(name)).await?;
    cast.stored += 1;
    stage
        .tell("Had the answer been lost, his client could not know. So it connects anew and sends the same again.")
        .await;
    cast.bob.disconnect();
    cast.bob.connect().await?;
    cast.bob.catch_up().await?;
    cast.sockets += 1;
    let (second, _) = cast.bob.say(text, Some(name)).await?;
    stage.shows("first answer", &answer(&first)).await;
    stage.shows("second answer", &answer(&second)).await;
    demand(
        !first.duplicate && second.duplicate && first.id == second.id,
        "The second answer should have named the first message.",
    )?;
    cast.alice.settle().await?;
    let heard = cast
        .alice
        .inbox
        .iter()
        .filter(|m| m.content == text)
        .count();
    let rows = Disk::open(&cast.server.database(), cast.bob.id)?.rows()?;
    let rows = rows
        .iter()
        .filter(|row| row.client_id.as_deref() == Some(name))
        .count();
    demand(
        heard == 1 && rows == 1,
        &format!("alice has it {heard} times, the database {rows} times; it should be once."),
    )?;
    stage
        .holds("One row in the database, one message on alice's screen, whatever is sent again.")
        .await;
    Ok(())
}

async fn crash(stage: &mut Stage, cast: &mut Cast) -> Result<()> {
    stage.title("The plug is pulled").await;
    cast.bob.settle().await?;
    cast.bob.disconnect();
    stage.tell("bob closes his laptop.").await;
    let text = "Last words before the crash.";
    stage.says("alice", text).await;
    let (ack, _) = cast.alice.say(text, None).await?;
    cast.server.kill()?;
    cast.stored += 1;
    stage
        .tell(&format!(
            "At the moment of the acknowledgement: kill -9 {}. Nothing could be tidied up.",
            cast.server.pid()
        ))
        .await;
    demand(
        cast.alice.history().await.is_err(),
        "Something still answers where the server was.",
    )?;
    cast.server.start_again().await?;
    stage
        .tell(&format!(
            "It is started again, and listens after {}.",
            millis(cast.server.start_took)
        ))
        .await;
    cast.alice.come_back(&cast.server.url)?;
    cast.bob.come_back(&cast.server.url)?;
    cast.alice.connect().await?;
    cast.bob.connect().await?;
    cast.sockets += 2;
    cast.bob.inbox.clear();
    cast.bob.catch_up().await?;
    stage
        .tell("bob opens his laptop and asks for what he has missed:")
        .await;
    let missed: Vec<_> = cast.bob.inbox.iter().map(|m| (m.id, &m.content)).collect();
    demand(
        missed.len() == 1 && missed[0].0 == ack.id && missed[0].1 == text,
        &format!("bob should have got the one message that he missed, and got {missed:?}."),
    )?;
    stage.shows("what bob gets", text).await;
    let rows = Disk::open(&cast.server.database(), cast.bob.id)?
        .rows()?
        .len();
    demand(
        rows == cast.stored,
        &format!(
            "{} messages were acknowledged, {rows} are stored.",
            cast.stored
        ),
    )?;
    stage
        .holds("It was acknowledged, so it is there; and nothing else is missing or doubled.")
        .await;
    Ok(())
}

async fn numbers(stage: &mut Stage, cast: &mut Cast) -> Result<()> {
    stage.title("In numbers").await;
    let mut waits = Vec::with_capacity(RUSH);
    let mut last = 0;
    cast.bob.inbox.clear();
    for n in 1..=RUSH {
        let (ack, took) = cast.alice.say(&format!("Number {n}."), None).await?;
        last = ack.id;
        waits.push(took);
        cast.stored += 1;
    }
    cast.bob.hear(last).await?;
    let heard: Vec<u64> = cast.bob.inbox.iter().map(|message| message.id).collect();
    demand(
        heard.len() == RUSH && heard.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "bob did not get every message once and in order.",
    )?;
    let rows = Disk::open(&cast.server.database(), cast.bob.id)?.rows()?;
    demand(
        rows.len() == cast.stored && rows.iter().map(|row| row.id).eq((1..).take(rows.len())),
        &format!(
            "{} messages were acknowledged, {} are stored.",
            cast.stored,
            rows.len()
        ),
    )?;
    waits.sort_unstable();
    let text = format!("{} acknowledged, {} stored", cast.stored, rows.len());
    stage.shows("messages", &text).await;
    stage
        .shows("sockets opened", &cast.sockets.to_string())
        .await;
    let median = format!(
        "{} (p50 of {RUSH}, each on the disk first)",
        millis(waits[RUSH / 2])
    );
    stage.shows("time to acknowledge", &median).await;
    stage
        .holds("bob got every one of them, once, in the order of its number.")
        .await;
    Ok(())
}

async fn end(stage: &mut Stage, mut cast: Cast, folder: TempDir) -> Result<()> {
    stage.title("The curtain").await;
    let status = cast.server.stop().await?;
    demand(
        status.success(),
        &format!("The server ended with {status}."),
    )?;
    drop(cast);
    let path = folder.path().to_owned();
    folder
        .close()
        .map_err(|error| Broken::new(format!("{} is still there ({error}).", path.display())))?;
    demand(
        !path.exists(),
        &format!("{} is still there.", path.display()),
    )?;
    stage
        .holds("The server has ended when asked, and its folder is gone.")
        .await;
    stage.close("Everything held. Yours starts with: parlour");
    Ok(())
}

/// One letter in the middle is another.
fn with_another_letter(sealed: &str) -> String {
    let at = sealed.len() / 2;
    sealed
        .char_indices()
        .map(|(index, letter)| match (index == at, letter) {
            (false, letter) => letter,
            (true, 'x') => 'y',
            (true, _) => 'x',
        })
        .collect()
}

/// The beginning and the middle of a sealed text: what fits on a line.
fn shortened(sealed: &str) -> String {
    let middle = sealed.len() / 2;
    let part = |from: usize, to: usize| sealed.get(from..to).unwrap_or_default();
    format!(
        "{}…{}… ({} characters)",
        part(0, 16),
        part(middle.saturating_sub(4), middle + 12),
        sealed.len()
    )
}

fn answer(ack: &crate::protocol::event::Ack) -> String {
    format!("id {}, duplicate: {}", ack.id, ack.duplicate)
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    if millis < 10.0 {
        format!("{millis:.1} ms")
    } else {
        format!("{millis:.0} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgery_differs_in_one_letter() {
        for sealed in ["gAAAAxBBB", "gAAAABBBB"] {
            let forged = with_another_letter(sealed);
            let differing = sealed.chars().zip(forged.chars()).filter(|(a, b)| a != b);
            assert_eq!((forged.len(), differing.count()), (sealed.len(), 1));
        }
    }
}
