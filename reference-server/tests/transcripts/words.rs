//! 003 and its replicated stage: words in, sentences out, some with an end and most without.

use crate::client::{Client, server};

#[tokio::test]
async fn seed_003() {
    let [server] = server(["003"]).await;
    let (mut alice, mut bob) = (Client::connect(&server, ()).await, Client::connect(&server, ()).await);
    alice.asks("1 1", "No matching accounts").await;
    alice.asks("1 0 alice secret", "Account successfully created").await;
    bob.asks("1 0 alice mine", "Account with username already exists. Try again").await;
    bob.asks("1 0 bob hidden", "Account successfully created").await;
    alice.asks("1 3 bob hi", "Please login to send a message").await;
    alice.asks("1 2 alice guess", "Login unsuccessful\r\n\r\n").await;
    alice.asks("1 2 alice secret", "Login successful\n\r\n\r\n").await;
    alice.asks("1 2 alice secret", "You are already logged into an account!\r\n\r\n").await;
    alice.asks("1 1", "alice\nbob").await;
    alice.asks("1 1 lic", "alice").await;

    alice.asks("1 3 zed hi", "Invalid: user not found").await;
    alice.asks("1 3 bob hi, bob", "Recipient not online. Will deliver on demand :)").await;
    alice.asks("1 3 bob are you there?", "Recipient not online. Will deliver on demand :)").await;
    let waiting = "Account has undelivered messages: \nFrom alice: Message: hi, bob\n\nFrom alice: Message: are you \
                   there?\n\r\n\r\n";
    bob.asks("1 2 bob hidden", waiting).await;
    alice.asks("1 3 bob now you are", "Message delivered!").await;
    bob.reads("\nFrom alice: Message: now you are").await;
    bob.asks("1 5 bob hidden", "No undelivered messages\r\n\r\n").await;

    bob.asks("1 4 bob hidden", "You are logged into the account to be deleted. Logout first\r\n\r\n").await;
    bob.hangs_up().await;
    alice.asks("1 3 bob read this", "Recipient not online. Will deliver on demand :)").await;
    let mut bob = Client::connect(&server, ()).await;
    bob.asks("1 4 alice secret", "Another client is logged into this account!\r\n\r\n").await;
    bob.asks("1 4 bob guess", "Account not found or incorrect password\r\n\r\n").await;
    bob.asks("1 4 bob hidden", "Successfully deleted account\n\nFrom alice: Message: read this\n\r\n\r\n").await;
    alice.asks("1 1", "alice").await;
    alice.hangs_up().await;
    bob.hangs_up().await;
}

#[tokio::test]
async fn seed_003_replicated() {
    let [server] = server(["003-replicated"]).await;
    let (mut alice, mut bob) = (Client::connect(&server, ()).await, Client::connect(&server, ()).await);
    alice.asks("ls", "No matching accounts").await;
    alice.asks("create alice secret", "Account successfully created").await;
    bob.asks("create alice mine", "Account with username already exists. Try again").await;
    bob.asks("create bob hidden", "Account successfully created").await;
    alice.asks("send bob hi", "Please login to send a message").await;
    alice.asks("login alice guess", "Login unsuccessful").await;
    alice.asks("login alice secret", "Login successful\n").await;
    alice.asks("login alice secret", "You are already logged into an account!").await;
    alice.asks("ls", "alice\nbob").await;
    alice.asks("ls ob", "bob").await;

    alice.asks("send zed hi", "Invalid: user not found").await;
    alice.asks("send bob hi, bob", "Recipient not online. Will deliver on demand :)").await;
    bob.asks("login bob hidden", "Account has undelivered messages: \nFrom alice: Message: hi, bob\n").await;
    alice.asks("send bob now you are there", "Message delivered!").await;
    bob.reads("\nFrom alice: Message: now you are there").await;

    bob.asks("delete bob hidden", "You are logged into the account to be deleted. Logout first").await;
    bob.writes("quit").await;
    bob.sees_the_end().await;
    alice.asks("send bob read this", "Recipient not online. Will deliver on demand :)").await;
    let mut bob = Client::connect(&server, ()).await;
    bob.asks("delete alice secret", "Another client is logged into this account!").await;
    bob.asks("delete bob guess", "Account not found or incorrect password").await;
    bob.asks("delete bob hidden", "Successfully deleted account\n\nFrom alice: Message: read this\n").await;
    alice.asks("ls", "alice").await;
    alice.hangs_up().await;
    bob.hangs_up().await;
}
