use super::*;
use crate::mfa::Device;
use crate::operation::mfa::*;
use crate::operation::mfa_list::*;

#[tokio::test]
async fn a_device_is_made_enabled_used_and_removed() {
    let world = World::new().await;
    world.user("alice").await;
    let key = world.key("alice").await;
    let request = CreateVirtualMFADeviceRequest { virtual_mfa_device_name: "phone".to_owned(), ..Default::default() };
    let made = world.run(request.clone()).await.unwrap().virtual_mfa_device;
    let serial_number = made.serial_number.clone();
    assert_eq!(serial_number, "arn:aws:iam::111122223333:mfa/phone");
    assert_eq!(made.base32_string_seed.as_ref().unwrap().expose().len(), 64);
    assert!(made.qr_code_png.unwrap().expose().starts_with(b"\x89PNG"));
    assert_eq!(
        failure(world.run(request).await),
        ("EntityAlreadyExists", "MFADevice entity at the same path and name already exists.".to_owned())
    );
    let device: Device = world.identity.entity(account(), "phone").await.unwrap().unwrap();
    let code = |at: u64| String::from_utf8(device.code(at / 30).unwrap().to_vec()).unwrap();
    let now = world.seconds();
    let enable = |one: String, two: String| EnableMFADeviceRequest {
        user_name: "alice".to_owned(),
        serial_number: serial_number.clone(),
        authentication_code1: one,
        authentication_code2: two,
    };
    assert_eq!(failure(world.run(enable(code(now), code(now))).await).0, "InvalidAuthenticationCode");
    world.run(enable(code(now - 30), code(now))).await.unwrap();
    assert_eq!(failure(world.run(enable(code(now), code(now + 30))).await).0, "EntityAlreadyExists");
    let listed = world.run(ListMFADevicesRequest { user_name: Some("alice".to_owned()), ..Default::default() }).await;
    assert_eq!(listed.unwrap().mfa_devices[0].serial_number, serial_number);
    let delete = || DeleteVirtualMFADeviceRequest { serial_number: serial_number.clone() };
    assert_eq!(failure(world.run(delete()).await).0, "DeleteConflict");

    let alice = Arc::clone(&world.identity.resolve(&key.access_key_id, None).await.unwrap().principal);
    let verify = |code: String| {
        let (identity, alice, serial) = (&world.identity, &alice, &serial_number);
        async move { identity.verify_mfa(alice, serial, &code).await.unwrap() }
    };
    assert!(!verify(code(now)).await, "it was used for enabling");
    world.pass(30);
    assert!(verify(code(now + 30)).await);
    assert!(!verify(code(now + 30)).await, "once");
    world.pass(300);
    assert!(!verify("12345".to_owned()).await);
    assert!(verify(code(now + 330)).await);
    let root = &world.root;
    assert!(!world.identity.verify_mfa(root, &serial_number, &code(now + 360)).await.unwrap(), "not the root user's");

    let off = DeactivateMFADeviceRequest { user_name: Some("alice".to_owned()), serial_number: serial_number.clone() };
    world.run(off.clone()).await.unwrap();
    assert_eq!(failure(world.run(off).await).0, "NoSuchEntity");
    let unassigned =
        ListVirtualMFADevicesRequest { assignment_status: Some("Unassigned".to_owned()), ..Default::default() };
    assert_eq!(world.run(unassigned).await.unwrap().virtual_mfa_devices.len(), 1);
    world.run(delete()).await.unwrap();
    assert_eq!(failure(world.run(delete()).await).0, "NoSuchEntity");
}
