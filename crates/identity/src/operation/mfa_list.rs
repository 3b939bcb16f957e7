//! ListMFADevices, ListVirtualMFADevices, GetMFADevice, TagMFADevice, UntagMFADevice, ListMFADeviceTags.

use ::policy::Principal;

use super::mfa::VirtualMFADevice;
use super::page::Paging;
use super::shapes::shapes;
use super::tag::{self, Tag};
use super::user::{Owner, User};
use super::{Allowed, Done, Operation, Subject};
use crate::Identity;
use crate::entity::Entity;
use crate::error::Error;
use crate::mfa::Device;
use crate::record::{self, Head};
use crate::rows::{self, Kind, Place};
use crate::store::{Work, change};
use crate::time::Timestamp;

shapes! {
    request ListMFADevicesRequest { user_name? String, marker? String, max_items? i64 }
    shape ListMFADevicesResponse {
        #[serde(rename = "MFADevices")] mfa_devices: Vec<MFADevice>, is_truncated: bool, marker? String
    }
    shape MFADevice { user_name: String, serial_number: String, enable_date: Timestamp }
    request ListVirtualMFADevicesRequest { assignment_status? String, marker? String, max_items? i64 }
    request GetMFADeviceRequest { serial_number: String, user_name? String }
    shape GetMFADeviceResponse { user_name? String, serial_number: String, enable_date? Timestamp }
    request TagMFADeviceRequest { serial_number: String, tags: Vec<Tag> }
    request UntagMFADeviceRequest { serial_number: String, tag_keys: Vec<String> }
    request ListMFADeviceTagsRequest { serial_number: String, marker? String, max_items? i64 }
    shape ListMFADeviceTagsResponse { tags: Vec<Tag>, is_truncated: bool, marker? String }
}

/// The answer of ListVirtualMFADevices.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListVirtualMFADevicesResponse {
    /// `VirtualMFADevices`
    #[serde(rename = "VirtualMFADevices")]
    pub virtual_mfa_devices: Vec<VirtualMFADevice>,
    /// `IsTruncated`
    pub is_truncated: bool,
    /// `Marker`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

impl Operation for ListMFADevicesRequest {
    const NAME: &'static str = "ListMFADevices";
    type Response = ListMFADevicesResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:ListMFADevices", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListMFADevicesResponse, Error> {
        let account = by.account();
        let mut devices = Vec::new();
        // Root users have none.
        if let Owner::User(name) = Owner::new(by.caller(), self.user_name.as_deref())? {
            let user: record::User = identity.existing(account, &name).await?;
            for id in &user.credentials.mfa {
                let device = identity.rows.read::<Device>(&Device::place(account, id)).await?;
                devices.extend(device.map(|device| MFADevice {
                    user_name: user.head.name.clone(),
                    serial_number: device.arn(account),
                    enable_date: device.enabled.unwrap_or(device.head.created),
                }));
            }
        }
        let page = Paging::new(self.marker.as_deref(), self.max_items)?.in_order(devices);
        Ok(ListMFADevicesResponse { is_truncated: page.is_truncated(), mfa_devices: page.items, marker: page.marker })
    }
}

impl Operation for ListVirtualMFADevicesRequest {
    const NAME: &'static str = "ListVirtualMFADevices";
    type Response = ListVirtualMFADevicesResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::of_list("iam:ListVirtualMFADevices", caller.account, Kind::Mfa, None)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListVirtualMFADevicesResponse, Error> {
        let account = by.account();
        let assigned = match self.assignment_status.as_deref() {
            Some("Assigned") => Some(true),
            Some("Unassigned") => Some(false),
            _ => None,
        };
        let mut devices = Vec::new();
        for row in identity.rows.all(&rows::names(account, Kind::Mfa)).await? {
            let head: Head = identity.rows.small(&Place { key: row.key.to_vec(), kind: "name" }, &row.value)?;
            let device = identity.rows.read::<Device>(&Device::place(account, &head.id)).await?;
            devices.extend(device.filter(|device| assigned.is_none_or(|wanted| device.user.is_some() == wanted)));
        }
        let paging = Paging::new(self.marker.as_deref(), self.max_items)?;
        let page = paging.slice(devices, |device| device.head.name.to_lowercase().into_bytes());
        let (is_truncated, marker) = (page.is_truncated(), page.marker);
        let mut virtual_mfa_devices = Vec::with_capacity(page.items.len());
        for device in page.items {
            let user = match &device.user {
                Some(id) => identity.rows.read::<record::User>(&record::User::place(account, id)).await?,
                None => None,
            };
            virtual_mfa_devices.push(VirtualMFADevice {
                serial_number: device.arn(account),
                base32_string_seed: None,
                qr_code_png: None,
                user: user.map(|user| User::listed(account, user.head)),
                enable_date: device.enabled,
                tags: None,
            });
        }
        Ok(ListVirtualMFADevicesResponse { virtual_mfa_devices, is_truncated, marker })
    }
}

impl Operation for GetMFADeviceRequest {
    const NAME: &'static str = "GetMFADevice";
    type Response = GetMFADeviceResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:GetMFADevice", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetMFADeviceResponse, Error> {
        let device = Work::new(identity, by.account()).device(&self.serial_number).await?;
        let user = match &device.user {
            Some(id) => identity.rows.read::<record::User>(&record::User::place(by.account(), id)).await?,
            None => None,
        };
        let user_name = user.map(|user| user.head.name);
        if let Owner::User(name) = Owner::new(by.caller(), self.user_name.as_deref())? {
            // What the caller was allowed to see is this user's.
            if user_name.as_deref().is_none_or(|owner| owner.to_lowercase() != name.to_lowercase()) {
                return Err(Device::missing(&self.serial_number));
            }
        }
        Ok(GetMFADeviceResponse { user_name, serial_number: self.serial_number, enable_date: device.enabled })
    }
}

impl Operation for TagMFADeviceRequest {
    const NAME: &'static str = "TagMFADevice";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let subjects = identity.device_subject("iam:TagMFADevice", caller, &self.serial_number).await?;
        Ok(subjects.into_iter().map(|subject| subject.with_request_tags(&self.tags)).collect())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let mut device = work.device(&self.serial_number).await?;
            tag::merge(&mut device.tags, &self.tags)?;
            work.update(&device);
            Ok(Done {})
        })
    }
}

impl Operation for UntagMFADeviceRequest {
    const NAME: &'static str = "UntagMFADevice";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let subjects = identity.device_subject("iam:UntagMFADevice", caller, &self.serial_number).await?;
        let keys = || self.tag_keys.iter().map(String::as_str);
        Ok(subjects.into_iter().map(|subject| subject.with_tag_keys(keys())).collect())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let mut device = work.device(&self.serial_number).await?;
            tag::remove(&mut device.tags, &self.tag_keys);
            work.update(&device);
            Ok(Done {})
        })
    }
}

impl Operation for ListMFADeviceTagsRequest {
    const NAME: &'static str = "ListMFADeviceTags";
    type Response = ListMFADeviceTagsResponse;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        identity.device_subject("iam:ListMFADeviceTags", caller, &self.serial_number).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<ListMFADeviceTagsResponse, Error> {
        let device = Work::new(identity, by.account()).device(&self.serial_number).await?;
        let page = tag::page(&device.tags, self.marker.as_deref(), self.max_items)?;
        Ok(ListMFADeviceTagsResponse { is_truncated: page.is_truncated(), tags: page.items, marker: page.marker })
    }
}
