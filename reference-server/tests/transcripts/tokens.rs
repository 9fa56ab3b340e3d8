//! 001: fields between bars, a token in every request, messages fetched by asking again and again.

use crate::client::{Client, server};

/// Hexadecimal digits of a token.
const TOKEN: usize = 30;

impl Client<()> {
    /// Asks for something that gives a token, which stands between these.
    async fn gets_a_token(&mut self, request: &str, before: &str, after: &str) -> String {
        self.writes(request).await;
        self.reads(before).await;
        let token = String::from_utf8(self.takes(TOKEN).await).expect("it is text");
        assert!(token.len() == TOKEN && token.chars().all(|c| c.is_ascii_hexdigit()), "{token} is no token");
        self.reads(after).await;
        token
    }
}

#[tokio::test]
async fn seed_001() {
    let [server] = server(["001"]).await;
    let (mut alice, mut bob) = (Client::connect(&server, ()).await, Client::connect(&server, ()).await);
    let first = alice.gets_a_token("0||1||alice||secret||Alice A.", "0||1||||", "||Alice A.").await;
    bob.asks("0||1||alice||mine||Another", "0||1||ERROR Username Already Exists").await;
    let bobs = bob.gets_a_token("0||1||bob||hidden||Bob", "0||1||||", "||Bob").await;

    bob.asks("1||1||zed||hidden", "1||1||ERROR Username Invalid").await;
    bob.asks("1||1||bob||guess", "1||1||ERROR Password Invalid").await;
    let token = alice.gets_a_token("1||1||alice||secret", "1||1||||", "||alice").await;
    alice.asks(format!("3||1||{first}||alice||25||"), "3||1||Invalid token").await;
    alice.asks(format!("3||1||{token}||alice||25||"), "3||1||||alice, bob").await;
    alice.asks(format!("3||1||{token}||alice||25||b"), "3||1||||bob").await;

    alice.asks(format!("2||1||{token}||alice||bob||hi, bob"), "2||1||").await;
    alice.asks(format!("2||1||{token}||alice||bob||größer"), "2||1||").await;
    alice.asks(format!("2||1||{token}||alice||zed||hi"), "2||1||Invalid Recipient").await;
    alice.asks(format!("2||1||{bobs}||alice||bob||hi"), "2||1||Invalid Token").await;
    bob.asks(format!("5||1||{bobs}||bob"), "5||1||[alice]: hi, bob\n[alice]: größer||").await;
    bob.asks(format!("5||1||{bobs}||bob"), "5||1||||No new message").await;
    bob.asks(format!("5||1||{token}||bob"), "5||1||||Invalid Token").await;

    alice.asks("2||1||one", "2||1||ERROR Incorrect number of arguments provided.").await;
    alice.asks("9||1||one", "9||1||ERROR Argument provided is not valid for opcode.").await;

    // A session outlasts its connection.
    bob.hangs_up().await;
    alice.asks(format!("2||1||{token}||alice||bob||you are away"), "2||1||").await;
    let mut bob = Client::connect(&server, ()).await;
    bob.asks(format!("5||1||{bobs}||bob"), "5||1||[alice]: you are away||").await;
    alice.asks(format!("4||1||{token}||alice"), "4||1||").await;
    alice.asks(format!("4||1||{token}||alice"), "4||1||Invalid token").await;
    bob.asks(format!("3||1||{bobs}||bob||25||"), "3||1||||bob").await;
    alice.hangs_up().await;
    bob.hangs_up().await;
}
