"""Microsoft 365: SharePoint, OneDrive and Exchange Online, by Microsoft Graph."""
